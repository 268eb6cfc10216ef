# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libauth.a
SB_PARTS += %D%/libauth.a

%C%_libauth_a_SOURCES = \
	%D%/active.c %D%/active.h \
	%D%/auth.c %D%/auth.h \
	%D%/challenge.c %D%/challenge.h \
	%D%/code.c %D%/code.h \
	%D%/first_start.c \
	%D%/hasher.c %D%/hasher.h \
	%D%/herald.c %D%/herald.h \
	%D%/keyring.c %D%/keyring.h \
	%D%/letter.c %D%/letter.h \
	%D%/on_audit.c %D%/on_audit_record.c %D%/on_email.c %D%/on_erase.c %D%/on_export.c \
	%D%/on_invites.c %D%/on_keys.c %D%/on_login.c %D%/on_mail.c \
	%D%/on_password.c %D%/on_profile.c %D%/on_published.c %D%/on_register.c %D%/on_second.c \
	%D%/on_sessions.c %D%/on_signing.c %D%/on_tokens.c %D%/on_users.c \
	%D%/password.c %D%/password.h \
	%D%/relay.c \
	%D%/reply.c \
	%D%/second.c %D%/second.h \
	%D%/session.c \
	%D%/share.c \
	%D%/signature.c %D%/signature.h \
	%D%/store_audit.c %D%/store_codes.c %D%/store_erasure.c %D%/store_factors.c %D%/store_flags.c \
	%D%/store_invites.c %D%/store_keys.c %D%/store_mails.c %D%/store_once.c %D%/store_sessions.c \
	%D%/store_signing.c %D%/store_users.c %D%/store.h \
	%D%/throttle.c %D%/throttle.h \
	%D%/token.c %D%/token.h \
	%D%/totp.c %D%/totp.h \
	%D%/upkeep.c \
	%D%/vault.c %D%/vault.h

%C%_sql = \
	%D%/sql/0001_identity.sqlite.sql %D%/sql/0001_identity.postgres.sql \
	%D%/sql/0002_codes.sqlite.sql %D%/sql/0002_codes.postgres.sql \
	%D%/sql/0003_second_factor.sqlite.sql %D%/sql/0003_second_factor.postgres.sql \
	%D%/sql/0004_signing.sqlite.sql %D%/sql/0004_signing.postgres.sql \
	%D%/sql/0005_erasure.sqlite.sql %D%/sql/0005_erasure.postgres.sql \
	%D%/sql/0006_outbox.sqlite.sql %D%/sql/0006_outbox.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_libauth_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=auth_migrations $(%C%_sql) $(SB_EMBED_TO)
