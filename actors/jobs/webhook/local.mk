# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libwebhook.a
SB_PARTS += %D%/libwebhook.a

%C%_libwebhook_a_SOURCES = \
	%D%/kind.c %D%/kind.h \
	%D%/on_deliver.c %D%/on_deliveries.c %D%/on_billing.c %D%/on_hook.c %D%/on_providers.c \
	%D%/on_publish.c %D%/on_send.c \
	%D%/on_subscriptions.c \
	%D%/post.c %D%/post.h \
	%D%/relay.c \
	%D%/service.c %D%/webhook.h \
	%D%/share.c \
	%D%/store_billing.c %D%/store_deliveries.c %D%/store_erase.c %D%/store_hooks.c %D%/store_subscriptions.c \
	%D%/store.h %D%/wants.c

%C%_sql = %D%/sql/0001_webhooks.sqlite.sql %D%/sql/0001_webhooks.postgres.sql \
	%D%/sql/0002_hooks.sqlite.sql %D%/sql/0002_hooks.postgres.sql \
	%D%/sql/0003_erasures.sqlite.sql %D%/sql/0003_erasures.postgres.sql \
	%D%/sql/0004_billing.sqlite.sql %D%/sql/0004_billing.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_libwebhook_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=webhook_migrations $(%C%_sql) $(SB_EMBED_TO)
