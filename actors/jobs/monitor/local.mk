# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libmonitor.a
SB_PARTS += %D%/libmonitor.a

%C%_libmonitor_a_SOURCES = \
	%D%/anomaly.c %D%/anomaly.h \
	%D%/check.c %D%/check.h \
	%D%/on_breakers.c %D%/on_check.c %D%/on_fetch.c %D%/on_monitors.c %D%/on_report.c %D%/on_run.c %D%/on_send.c \
	%D%/service.c %D%/monitor.h \
	%D%/store_erase.c %D%/store_looks.c %D%/store_monitors.c %D%/store.h

%C%_sql = %D%/sql/0001_monitors.sqlite.sql %D%/sql/0001_monitors.postgres.sql \
	%D%/sql/0002_erasures.sqlite.sql %D%/sql/0002_erasures.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_libmonitor_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=monitor_migrations $(%C%_sql) $(SB_EMBED_TO)
