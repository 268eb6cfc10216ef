# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libruntime.a
SB_RUNTIME += %D%/libruntime.a

%C%_libruntime_a_SOURCES = \
	%D%/actor.c %D%/actor_describe.c %D%/actor_questions.c %D%/actor.h \
	%D%/breaker.c %D%/breaker.h \
	%D%/call.c \
	%D%/call_run.c \
	%D%/call_trace.c \
	%D%/cursor.c %D%/cursor.h \
	%D%/db.c %D%/db.h %D%/db_backend.h \
	%D%/db_migrate.c \
	%D%/db_params.c %D%/db_params.h \
	%D%/db_postgres.c %D%/db_postgres.h \
	%D%/db_postgres_codec.c \
	%D%/db_postgres_link.c \
	%D%/db_run.c \
	%D%/db_sqlite.c %D%/db_sqlite.h \
	%D%/db_sqlite_writer.c \
	%D%/enqueue.c %D%/enqueue.h \
	%D%/erasures.c %D%/erasures.h \
	%D%/outbox.c %D%/outbox.h \
	%D%/page.c %D%/page.h \
	%D%/redis.c %D%/redis.h \
	%D%/redis_link.c %D%/redis_state.h \
	%D%/redis_url.c %D%/redis_url.h \
	%D%/runtime_methods.c \
	%D%/secret.c %D%/secret.h \
	%D%/state.h \
	%D%/traced.c %D%/traced.h \
	%D%/wishes.c %D%/wishes.h

# Migrations become C tables: how an actor's fragment does that stands in embed.awk.
EXTRA_DIST += %D%/embed.awk
SB_EMBED = $(srcdir)/%D%/embed.awk
SB_EMBED_SQL = $(AM_V_GEN)$(MKDIR_P) $(@D) && ( cd $(srcdir) && $(AWK) -f %D%/embed.awk
SB_EMBED_TO = ) > $@.tmp && mv $@.tmp $@
