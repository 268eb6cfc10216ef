/* SPDX-License-Identifier: MPL-2.0
 *
 * on_providers - who may tell us something: for administrators
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/webhook/webhook.h"

#define SECRETS_BYTES_MAX (SIGNATURE_SECRETS_MAX * SIGNATURE_TEXT_SIZE)

static const struct {
    const char *name;
    signature_scheme_t scheme;
} s_schemes[] = {
    { "standard", SIGNATURE_STANDARD },
    { "stripe", SIGNATURE_STRIPE },
    { "hmac", SIGNATURE_PLAIN },
};

signature_scheme_t provider_scheme(const provider_t *provider)
{
    size_t which = 0;
    while (strcmp(s_schemes[which].name, provider->scheme) != 0)
        insist(++which < COUNT_OF(s_schemes)); /* the table has a constraint for it */
    return s_schemes[which].scheme;
}

static bool s_read_key(signature_scheme_t scheme, const char *text, signature_key_t *key)
{
    return scheme == SIGNATURE_STANDARD ? signature_read_key(key, text)
                                        : signature_plain_key(key, text);
}

size_t provider_open_keys(const webhook_t *self, const provider_t *provider,
                          signature_key_t keys[SIGNATURE_SECRETS_MAX])
{
    char text[SECRETS_BYTES_MAX] = "", *rest = NULL;
    const signature_scheme_t scheme = provider_scheme(provider);
    size_t count = 0;
    if (provider->secrets_size <= SECRET_OVERHEAD ||
        provider->secrets_size - SECRET_OVERHEAD >= sizeof text ||
        !secret_unseal(self->sealing, provider->name, provider->secrets, provider->secrets_size,
                       text))
        return 0;
    for (char *line = strtok_r(text, "\n", &rest); line && count < SIGNATURE_SECRETS_MAX;
         line = strtok_r(NULL, "\n", &rest))
        count += s_read_key(scheme, line, &keys[count]);
    mem_wipe(text, sizeof text);
    return count;
}

static void s_write(pack_t *pack, const provider_t *provider)
{
    pack_map(pack, 5);
    pack_pair_text(pack, "provider", provider->name);
    pack_pair_text(pack, "scheme", provider->scheme);
    pack_pair_text(pack, "header", provider->header);
    pack_pair_text(pack, "kind", provider->kind);
    pack_pair_time(pack, "updated_at", provider->updated_ms);
}

void webhook_on_providers(call_t *call, void *arg)
{
    providers_t found;
    db_conn_t *conn = webhook_require_conn(call);
    (void)arg;
    if (!conn || !webhook_require_ok(call, webhook_store_providers(conn, call_arena(call), &found)))
        return;
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "items");
    pack_array(call_pack(call), found.count);
    for (size_t i = 0; i < found.count; i++)
        s_write(call_pack(call), &found.list[i]);
    call_reply(call, 0);
}

/* The secrets in lines, sealed, in the arena; false: the call has been failed. */
static bool s_require_secrets(call_t *call, const webhook_t *self, provider_t *provider)
{
    const value_t *list = value_get(call_request(call), "secrets"), *item;
    const signature_scheme_t scheme = provider_scheme(provider);
    arena_t *arena = call_arena(call);
    buf_t lines = { 0 }, sealed = { 0 };
    signature_key_t key;
    bool good = true;
    for (uint32_t i = 0; good && (item = value_item(list, i)); i++) {
        const char *text =
            item->type == VALUE_TEXT ? arena_text(arena, item->text, item->count) : "";
        good = !strchr(text, '\n') && strlen(text) < SIGNATURE_TEXT_SIZE &&
               s_read_key(scheme, text, &key);
        if (good)
            buf_printf(&lines, "%s%s", i ? "\n" : "", text);
        else
            outlet_fail_field(call, arena_format(arena, "/secrets/%u", i),
                              scheme == SIGNATURE_STANDARD
                                  ? "must be `whsec_` and 16 to 64 bytes in base64"
                                  : "must be a text of 1 to 64 bytes in one line");
    }
    if (good) {
        secret_seal(self->sealing, provider->name, lines.bytes, lines.size, &sealed);
        provider->secrets = (const uint8_t *)arena_text(arena, sealed.bytes, sealed.size);
        provider->secrets_size = sealed.size;
    }
    if (lines.size)
        mem_wipe(lines.bytes, lines.size);
    mem_wipe(&key, sizeof key);
    buf_free(&lines);
    buf_free(&sealed);
    return good;
}

static db_status_t s_set_work(db_conn_t *conn, void *arg)
{
    return webhook_store_set_provider(conn, arg);
}

void webhook_on_provider_set(call_t *call, void *arg)
{
    webhook_t *self = arg;
    provider_t provider = { .name = call_text(call, "provider"),
                            .scheme = call_text(call, "scheme"),
                            .header = call_text(call, "header"),
                            .kind = call_text(call, "kind"),
                            .updated_ms = clock_wall_ms() };
    if (!s_require_secrets(call, self, &provider) ||
        !webhook_require_ok(call, db_write(self->db, s_set_work, &provider)))
        return;
    LOG(LOG_INFO, "webhook.provider_set", LOG_TEXT("provider", provider.name),
        LOG_TEXT("kind", provider.kind), LOG_TEXT("user", call_principal(call)->user));
    s_write(call_pack(call), &provider);
    call_reply(call, 0);
}

typedef struct {
    const char *name;
    bool changed;
} deleting_t;

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deleting_t *self = arg;
    return webhook_store_delete_provider(conn, self->name, &self->changed);
}

void webhook_on_provider_delete(call_t *call, void *arg)
{
    webhook_t *self = arg;
    deleting_t deleting = { .name = call_text(call, "provider") };
    if (!webhook_require_ok(call, db_write(self->db, s_delete_work, &deleting)))
        return;
    if (deleting.changed)
        call_reply(call, 0);
    else
        call_fail(call, ERROR_NOT_FOUND, "There is no provider of this name");
}
