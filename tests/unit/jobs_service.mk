# SPDX-License-Identifier: MPL-2.0
#
# The jobs service, built for each of the two databases from one source.
JOBS_TESTS = \
	%D%/jobs_actor_sqlite_test %D%/jobs_actor_postgres_test \
	%D%/jobs_control_sqlite_test %D%/jobs_control_postgres_test \
	%D%/jobs_disk_test \
	%D%/jobs_enqueue_sqlite_test %D%/jobs_enqueue_postgres_test \
	%D%/jobs_letters_sqlite_test %D%/jobs_letters_postgres_test \
	%D%/jobs_plans_sqlite_test %D%/jobs_plans_postgres_test \
	%D%/jobs_store_sqlite_test %D%/jobs_store_postgres_test \
	%D%/jobs_stranger_sqlite_test %D%/jobs_stranger_postgres_test

check_PROGRAMS += $(JOBS_TESTS)
TESTS += $(JOBS_TESTS)
EXTRA_DIST += %D%/jobs_kit.h %D%/jobs_stage.h

%C%_jobs_enqueue_sqlite_test_SOURCES = %D%/jobs_enqueue_test.c
%C%_jobs_enqueue_postgres_test_SOURCES = %D%/jobs_enqueue_test.c
%C%_jobs_enqueue_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_store_sqlite_test_SOURCES = %D%/jobs_store_test.c
%C%_jobs_store_postgres_test_SOURCES = %D%/jobs_store_test.c
%C%_jobs_store_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_actor_sqlite_test_SOURCES = %D%/jobs_actor_test.c
%C%_jobs_actor_postgres_test_SOURCES = %D%/jobs_actor_test.c
%C%_jobs_actor_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_stranger_sqlite_test_SOURCES = %D%/jobs_stranger_test.c
%C%_jobs_stranger_postgres_test_SOURCES = %D%/jobs_stranger_test.c
%C%_jobs_stranger_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_plans_sqlite_test_SOURCES = %D%/jobs_plans_test.c
%C%_jobs_plans_postgres_test_SOURCES = %D%/jobs_plans_test.c
%C%_jobs_plans_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_letters_sqlite_test_SOURCES = %D%/jobs_letters_test.c
%C%_jobs_letters_postgres_test_SOURCES = %D%/jobs_letters_test.c
%C%_jobs_letters_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_control_sqlite_test_SOURCES = %D%/jobs_control_test.c
%C%_jobs_control_postgres_test_SOURCES = %D%/jobs_control_test.c
%C%_jobs_control_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
