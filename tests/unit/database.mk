# SPDX-License-Identifier: MPL-2.0
#
# The database layer and actors on it; most are built for each of the two databases from one source.
DB_TESTS = \
	%D%/limiter_actor_sqlite_test %D%/limiter_actor_postgres_test \
	%D%/limiter_ledger_sqlite_test %D%/limiter_ledger_postgres_test \
	%D%/runtime_db_sqlite_test %D%/runtime_db_postgres_test \
	%D%/runtime_db_run_sqlite_test %D%/runtime_db_run_postgres_test \
	%D%/runtime_db_write_sqlite_test %D%/runtime_db_write_postgres_test \
	%D%/runtime_db_migrate_sqlite_test %D%/runtime_db_migrate_postgres_test \
	%D%/runtime_traced_sqlite_test %D%/runtime_traced_postgres_test \
	%D%/runtime_db_file_test \
	%D%/runtime_db_params_test \
	%D%/runtime_db_server_test

check_PROGRAMS += $(DB_TESTS)
TESTS += $(DB_TESTS) %D%/runtime_embed_test.py
EXTRA_DIST += %D%/runtime_embed_test.py

%C%_sql = \
	%D%/sql/0001_things.sqlite.sql %D%/sql/0001_things.postgres.sql \
	%D%/sql/0002_ledger.sqlite.sql %D%/sql/0002_ledger.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=test_migrations $(%C%_sql) $(SB_EMBED_TO)

check_LIBRARIES += %D%/libtestdb.a
TEST_LIBS += %D%/libtestdb.a
%C%_libtestdb_a_SOURCES = tests/kit/database.h tests/kit/server.h \
	tests/kit/stage.h
nodist_%C%_libtestdb_a_SOURCES = %D%/migrations.c

DB_TEST_POSTGRES = $(AM_CPPFLAGS) -DTEST_ON_POSTGRES

%C%_limiter_actor_sqlite_test_SOURCES = %D%/limiter_actor_test.c
%C%_limiter_actor_postgres_test_SOURCES = %D%/limiter_actor_test.c
%C%_limiter_actor_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_limiter_ledger_sqlite_test_SOURCES = %D%/limiter_ledger_test.c
%C%_limiter_ledger_postgres_test_SOURCES = %D%/limiter_ledger_test.c
%C%_limiter_ledger_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_db_sqlite_test_SOURCES = %D%/runtime_db_test.c
%C%_runtime_db_postgres_test_SOURCES = %D%/runtime_db_test.c
%C%_runtime_db_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_db_run_sqlite_test_SOURCES = %D%/runtime_db_run_test.c
%C%_runtime_db_run_postgres_test_SOURCES = %D%/runtime_db_run_test.c
%C%_runtime_db_run_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_db_write_sqlite_test_SOURCES = %D%/runtime_db_write_test.c
%C%_runtime_db_write_postgres_test_SOURCES = %D%/runtime_db_write_test.c
%C%_runtime_db_write_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_db_migrate_sqlite_test_SOURCES = %D%/runtime_db_migrate_test.c
%C%_runtime_db_migrate_postgres_test_SOURCES = %D%/runtime_db_migrate_test.c
%C%_runtime_db_migrate_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_traced_sqlite_test_SOURCES = %D%/runtime_traced_test.c
%C%_runtime_traced_postgres_test_SOURCES = %D%/runtime_traced_test.c
%C%_runtime_traced_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
