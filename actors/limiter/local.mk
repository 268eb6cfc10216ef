# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/liblimiter.a
SB_PARTS += %D%/liblimiter.a

%C%_liblimiter_a_SOURCES = \
	%D%/backing.c \
	%D%/copies.c \
	%D%/engine.c %D%/engine_pack.c %D%/engine_subjects.c %D%/engine.h %D%/engine_state.h \
	%D%/gcra.h \
	%D%/hot.c %D%/hot.h \
	%D%/ledger.c %D%/ledger_redis.c %D%/ledger.h \
	%D%/limiter.c %D%/limiter.h \
	%D%/on_policies.c %D%/on_take.c \
	%D%/peers.c %D%/peers.h \
	%D%/policy.c %D%/policy.h \
	%D%/window.c %D%/window.h

%C%_sql = %D%/sql/0001_limits.sqlite.sql %D%/sql/0001_limits.postgres.sql \
	%D%/sql/0002_enqueue.sqlite.sql %D%/sql/0002_enqueue.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_liblimiter_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=limiter_migrations $(%C%_sql) $(SB_EMBED_TO)
