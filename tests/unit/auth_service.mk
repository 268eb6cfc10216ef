# SPDX-License-Identifier: MPL-2.0
#
# The auth service; most are built for each of the two databases from one source.
AUTH_TESTS = \
	%D%/auth_admin_sqlite_test %D%/auth_admin_postgres_test \
	%D%/auth_alike_sqlite_test %D%/auth_alike_postgres_test \
	%D%/auth_email_sqlite_test %D%/auth_email_postgres_test \
	%D%/auth_erase_sqlite_test %D%/auth_erase_postgres_test \
	%D%/auth_keys_sqlite_test %D%/auth_keys_postgres_test \
	%D%/auth_login_sqlite_test %D%/auth_login_postgres_test \
	%D%/auth_once_sqlite_test %D%/auth_once_postgres_test \
	%D%/auth_password_test \
	%D%/auth_relay_sqlite_test %D%/auth_relay_postgres_test \
	%D%/auth_second_sqlite_test %D%/auth_second_postgres_test \
	%D%/auth_session_sqlite_test %D%/auth_session_postgres_test \
	%D%/auth_signing_sqlite_test %D%/auth_signing_postgres_test \
	%D%/auth_store_sqlite_test %D%/auth_store_postgres_test \
	%D%/auth_totp_test

check_PROGRAMS += $(AUTH_TESTS)
TESTS += $(AUTH_TESTS)
EXTRA_DIST += %D%/auth_stage.h

%C%_auth_admin_sqlite_test_SOURCES = %D%/auth_admin_test.c
%C%_auth_admin_postgres_test_SOURCES = %D%/auth_admin_test.c
%C%_auth_admin_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_alike_sqlite_test_SOURCES = %D%/auth_alike_test.c
%C%_auth_alike_postgres_test_SOURCES = %D%/auth_alike_test.c
%C%_auth_alike_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_email_sqlite_test_SOURCES = %D%/auth_email_test.c
%C%_auth_email_postgres_test_SOURCES = %D%/auth_email_test.c
%C%_auth_email_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_erase_sqlite_test_SOURCES = %D%/auth_erase_test.c
%C%_auth_erase_postgres_test_SOURCES = %D%/auth_erase_test.c
%C%_auth_erase_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_keys_sqlite_test_SOURCES = %D%/auth_keys_test.c
%C%_auth_keys_postgres_test_SOURCES = %D%/auth_keys_test.c
%C%_auth_keys_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_login_sqlite_test_SOURCES = %D%/auth_login_test.c
%C%_auth_login_postgres_test_SOURCES = %D%/auth_login_test.c
%C%_auth_login_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_once_sqlite_test_SOURCES = %D%/auth_once_test.c
%C%_auth_once_postgres_test_SOURCES = %D%/auth_once_test.c
%C%_auth_once_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_relay_sqlite_test_SOURCES = %D%/auth_relay_test.c
%C%_auth_relay_postgres_test_SOURCES = %D%/auth_relay_test.c
%C%_auth_relay_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_second_sqlite_test_SOURCES = %D%/auth_second_test.c
%C%_auth_second_postgres_test_SOURCES = %D%/auth_second_test.c
%C%_auth_second_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_session_sqlite_test_SOURCES = %D%/auth_session_test.c
%C%_auth_session_postgres_test_SOURCES = %D%/auth_session_test.c
%C%_auth_session_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_signing_sqlite_test_SOURCES = %D%/auth_signing_test.c
%C%_auth_signing_postgres_test_SOURCES = %D%/auth_signing_test.c
%C%_auth_signing_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
%C%_auth_store_sqlite_test_SOURCES = %D%/auth_store_test.c
%C%_auth_store_postgres_test_SOURCES = %D%/auth_store_test.c
%C%_auth_store_postgres_test_CPPFLAGS = $(DB_TEST_POSTGRES)
