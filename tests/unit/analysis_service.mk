# SPDX-License-Identifier: MPL-2.0
#
# The analysis service; each is built for each of the two databases from one source.
SERVICE_TESTS = \
	%D%/analysis_erasures_sqlite_test %D%/analysis_erasures_postgres_test \
	%D%/analysis_on_submit_sqlite_test %D%/analysis_on_submit_postgres_test \
	%D%/analysis_on_analyses_sqlite_test %D%/analysis_on_analyses_postgres_test \
	%D%/analysis_on_batch_sqlite_test %D%/analysis_on_batch_postgres_test \
	%D%/analysis_news_sqlite_test %D%/analysis_news_postgres_test \
	%D%/analysis_on_workflows_sqlite_test %D%/analysis_on_workflows_postgres_test \
	%D%/analysis_on_exports_sqlite_test %D%/analysis_on_exports_postgres_test \
	%D%/analysis_refetch_sqlite_test %D%/analysis_refetch_postgres_test \
	%D%/runtime_outbox_sqlite_test %D%/runtime_outbox_postgres_test \
	%D%/analysis_store_sqlite_test %D%/analysis_store_postgres_test \
	%D%/analysis_store_lists_sqlite_test %D%/analysis_store_lists_postgres_test

check_PROGRAMS += $(SERVICE_TESTS)
TESTS += $(SERVICE_TESTS)
EXTRA_DIST += %D%/analysis_stage.h

%C%_analysis_erasures_sqlite_test_SOURCES = %D%/analysis_erasures_test.c
%C%_analysis_erasures_postgres_test_SOURCES = %D%/analysis_erasures_test.c
%C%_analysis_erasures_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_on_submit_sqlite_test_SOURCES = %D%/analysis_on_submit_test.c
%C%_analysis_on_submit_postgres_test_SOURCES = %D%/analysis_on_submit_test.c
%C%_analysis_on_submit_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_on_analyses_sqlite_test_SOURCES = %D%/analysis_on_analyses_test.c
%C%_analysis_on_analyses_postgres_test_SOURCES = %D%/analysis_on_analyses_test.c
%C%_analysis_on_analyses_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_on_batch_sqlite_test_SOURCES = %D%/analysis_on_batch_test.c
%C%_analysis_on_batch_postgres_test_SOURCES = %D%/analysis_on_batch_test.c
%C%_analysis_on_batch_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_news_sqlite_test_SOURCES = %D%/analysis_news_test.c
%C%_analysis_news_postgres_test_SOURCES = %D%/analysis_news_test.c
%C%_analysis_news_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_on_workflows_sqlite_test_SOURCES = %D%/analysis_on_workflows_test.c
%C%_analysis_on_workflows_postgres_test_SOURCES = %D%/analysis_on_workflows_test.c
%C%_analysis_on_workflows_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_on_exports_sqlite_test_SOURCES = %D%/analysis_on_exports_test.c
%C%_analysis_on_exports_postgres_test_SOURCES = %D%/analysis_on_exports_test.c
%C%_analysis_on_exports_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_refetch_sqlite_test_SOURCES = %D%/analysis_refetch_test.c
%C%_analysis_refetch_postgres_test_SOURCES = %D%/analysis_refetch_test.c
%C%_analysis_refetch_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_runtime_outbox_sqlite_test_SOURCES = %D%/runtime_outbox_test.c
%C%_runtime_outbox_postgres_test_SOURCES = %D%/runtime_outbox_test.c
%C%_runtime_outbox_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_store_sqlite_test_SOURCES = %D%/analysis_store_test.c
%C%_analysis_store_postgres_test_SOURCES = %D%/analysis_store_test.c
%C%_analysis_store_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_analysis_store_lists_sqlite_test_SOURCES = %D%/analysis_store_lists_test.c
%C%_analysis_store_lists_postgres_test_SOURCES = %D%/analysis_store_lists_test.c
%C%_analysis_store_lists_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
