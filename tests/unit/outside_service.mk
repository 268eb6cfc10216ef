# SPDX-License-Identifier: MPL-2.0
#
# The tables of the services that call the outside, built for each of the two databases from one
# source.
OUTSIDE_TESTS = \
	%D%/monitor_store_sqlite_test %D%/monitor_store_postgres_test \
	%D%/webhook_store_sqlite_test %D%/webhook_store_postgres_test

check_PROGRAMS += $(OUTSIDE_TESTS)
TESTS += $(OUTSIDE_TESTS)
EXTRA_DIST += %D%/outside_kit.h

%C%_monitor_store_sqlite_test_SOURCES = %D%/monitor_store_test.c
%C%_monitor_store_postgres_test_SOURCES = %D%/monitor_store_test.c
%C%_monitor_store_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_webhook_store_sqlite_test_SOURCES = %D%/webhook_store_test.c
%C%_webhook_store_postgres_test_SOURCES = %D%/webhook_store_test.c
%C%_webhook_store_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
