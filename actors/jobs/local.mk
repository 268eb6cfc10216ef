# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libjobs.a
SB_PARTS += %D%/libjobs.a

%C%_libjobs_a_SOURCES = \
	%D%/calendar.c %D%/calendar.h \
	%D%/cron.c %D%/cron_parse.c %D%/cron.h \
	%D%/dispatcher.c %D%/dispatcher.h %D%/dispatcher_state.h \
	%D%/intake.c %D%/intake.h \
	%D%/jobs.c %D%/jobs.h \
	%D%/keeping.c \
	%D%/hints.c \
	%D%/kinds.c %D%/kinds.h \
	%D%/lanes.c %D%/lanes.h \
	%D%/on_dead.c %D%/on_enqueue.c %D%/on_jobs.c %D%/on_pull.c %D%/on_queues.c %D%/on_runs.c \
	%D%/run_trace.c \
	%D%/runs.c \
	%D%/share.c \
	%D%/targets.c \
	%D%/vacuum.c %D%/vacuum.h \
	%D%/verdict.c %D%/verdict.h \
	%D%/store.c %D%/store_answers.c %D%/store_dead.c %D%/store_enqueue.c %D%/store_limits.c \
	%D%/store_lists.c %D%/store_news.c %D%/store_orders.c %D%/store_progress.c \
	%D%/store_queues.c \
	%D%/store_settle.c %D%/store_time.c %D%/store_turn.c %D%/store_workers.c %D%/store.h \
	%D%/zone.c %D%/zone.h \
	%D%/zone_rule.c %D%/zone_rule.h \
	%D%/zones.c %D%/zones.h

# Schedules and families.
%C%_libjobs_a_SOURCES += \
	%D%/on_families.c %D%/on_schedules.c %D%/on_schedule_change.c %D%/on_schedule_put.c \
	%D%/schedule.c %D%/schedule.h \
	%D%/schedules.c %D%/schedules.h \
	%D%/store_erase.c \
	%D%/store_families.c %D%/store_families.h \
	%D%/store_fires.c %D%/store_schedules.c %D%/store_schedules.h

%C%_sql = %D%/sql/0001_jobs.sqlite.sql %D%/sql/0001_jobs.postgres.sql
%C%_sql += %D%/sql/0002_schedules.sqlite.sql %D%/sql/0002_schedules.postgres.sql
%C%_sql += %D%/sql/0003_families.sqlite.sql %D%/sql/0003_families.postgres.sql
%C%_sql += %D%/sql/0004_erasures.sqlite.sql %D%/sql/0004_erasures.postgres.sql
%C%_sql += %D%/sql/0005_progress.sqlite.sql %D%/sql/0005_progress.postgres.sql
%C%_sql += %D%/sql/0006_lookups.sqlite.sql %D%/sql/0006_lookups.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_libjobs_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=jobs_migrations $(%C%_sql) $(SB_EMBED_TO)
