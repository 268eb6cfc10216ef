# SPDX-License-Identifier: MPL-2.0
#
# Schedules and families of the jobs service, built for each of the two databases from one source.
SCHEDULE_TESTS = \
	%D%/jobs_kin_sqlite_test %D%/jobs_kin_postgres_test \
	%D%/jobs_families_sqlite_test %D%/jobs_families_postgres_test \
	%D%/jobs_fires_sqlite_test %D%/jobs_fires_postgres_test \
	%D%/jobs_schedules_sqlite_test %D%/jobs_schedules_postgres_test

check_PROGRAMS += $(SCHEDULE_TESTS)
TESTS += $(SCHEDULE_TESTS)

%C%_jobs_fires_sqlite_test_SOURCES = %D%/jobs_fires_test.c
%C%_jobs_fires_postgres_test_SOURCES = %D%/jobs_fires_test.c
%C%_jobs_fires_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_schedules_sqlite_test_SOURCES = %D%/jobs_schedules_test.c
%C%_jobs_schedules_postgres_test_SOURCES = %D%/jobs_schedules_test.c
%C%_jobs_schedules_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_families_sqlite_test_SOURCES = %D%/jobs_families_test.c
%C%_jobs_families_postgres_test_SOURCES = %D%/jobs_families_test.c
%C%_jobs_families_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_jobs_kin_sqlite_test_SOURCES = %D%/jobs_kin_test.c
%C%_jobs_kin_postgres_test_SOURCES = %D%/jobs_kin_test.c
%C%_jobs_kin_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
