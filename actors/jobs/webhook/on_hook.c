/* SPDX-License-Identifier: MPL-2.0
 *
 * on_hook - a provider tells us something
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/json.h"

#define ID_BYTES_MAX   200
#define TYPE_BYTES_MAX 200

static const char *s_header(call_t *call, const char *name)
{
    return value_dup_text(call_arena(call), value_get(call_request(call), "headers"), name);
}

static const char *s_signature_header(const provider_t *provider, signature_scheme_t scheme)
{
    static const char *const fixed[] = { [SIGNATURE_STANDARD] = "webhook-signature",
                                         [SIGNATURE_STRIPE] = "stripe-signature",
                                         [SIGNATURE_PLAIN] = NULL };
    return fixed[scheme] ? fixed[scheme] : provider->header;
}

/* Whether it is signed; false: the call has been failed. */
static bool s_require_signed(call_t *call, const webhook_t *self, const provider_t *provider,
                             const char *body, size_t size)
{
    signature_key_t keys[SIGNATURE_SECRETS_MAX];
    const signature_scheme_t scheme = provider_scheme(provider);
    const signature_message_t message = { .id = s_header(call, "webhook-id"),
                                          .timestamp = s_header(call, "webhook-timestamp"),
                                          .signature =
                                              s_header(call, s_signature_header(provider, scheme)),
                                          .body = body,
                                          .size = size };
    const size_t count = provider_open_keys(self, provider, keys);
    signature_verdict_t verdict =
        signature_verify(scheme, &message, keys, count, clock_wall_ms() / 1000);
    mem_wipe(keys, sizeof keys);
    if (verdict == SIGNATURE_GOOD)
        return true;
    webhook_count(call, WEBHOOK_HOOKS_REFUSED);
    call_fail(call, ERROR_UNAUTHENTICATED, "%s", signature_verdict_text(verdict));
    return false;
}

/* What identifies it: as the scheme says, or the body's own `id`, or else the body itself. */
static const char *s_id(call_t *call, const provider_t *provider, const value_t *json,
                        const char *body, size_t size)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    bool is_standard = provider_scheme(provider) == SIGNATURE_STANDARD;
    const char *id =
        is_standard ? s_header(call, "webhook-id") : value_dup_text(call_arena(call), json, "id");
    if (id && id[0] && strlen(id) <= ID_BYTES_MAX)
        return id;
    crypto_hash_sha256(hash, (const uint8_t *)body, size);
    return arena_format(call_arena(call), "sha256-%s", id_hex(hash, sizeof hash, hex));
}

/* The body as a tree, NULL when it is no JSON. False: it does not fit into a job, and the call has
 * been failed. */
static bool s_require_fit(call_t *call, const char *body, size_t size, const value_t **json)
{
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    arena_t *arena = call_arena(call);
    *json = NULL;
    if (json_to_msgpack(body, size, VALUE_LIMITS, JSON_BIG_NUMBERS_AS_TEXT, &packed, &error)) {
        size = packed.size;
        *json =
            value_parse(arena, arena_text(arena, packed.bytes, size), size, VALUE_LIMITS, &verdict);
    }
    buf_free(&packed);
    if (size <= WEBHOOK_HOOK_BYTES)
        return true;
    call_fail(call, ERROR_TOO_LARGE, "What is told may have at most %d bytes", WEBHOOK_HOOK_BYTES);
    return false;
}

/* What it is about, if it says so in a few words. */
static const char *s_type(call_t *call, const value_t *json)
{
    const char *type = value_dup_text(call_arena(call), json, "type");
    return type && strlen(type) <= TYPE_BYTES_MAX ? type : NULL;
}

typedef struct {
    inbound_t inbound;
    bool added;
} taking_t;

static db_status_t s_take_work(db_conn_t *conn, void *arg)
{
    taking_t *self = arg;
    return webhook_store_add_inbound(conn, &self->inbound, clock_wall_ms(), &self->added);
}

void webhook_on_hook(call_t *call, void *arg)
{
    webhook_t *self = arg;
    const provider_t *provider;
    size_t size = 0;
    const char *body = call_text(call, "body");
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn ||
        !webhook_require_ok(call, webhook_store_provider(conn, call_arena(call),
                                                         call_text(call, "provider"), &provider)))
        return;
    if (!provider) {
        call_fail(call, ERROR_NOT_FOUND, "There is no provider of this name");
        return;
    }
    value_get_text(call_request(call), "body", &size);
    const value_t *json;
    if (!s_require_signed(call, self, provider, body, size) ||
        !s_require_fit(call, body, size, &json))
        return;
    taking_t taking = { .inbound = { .provider = provider->name,
                                     .id = s_id(call, provider, json, body, size),
                                     .type = s_type(call, json),
                                     .account = billing_account(call_arena(call), json),
                                     .kind = provider->kind,
                                     .body = body } };
    if (!webhook_require_ok(call, db_write(self->db, s_take_work, &taking)))
        return;
    webhook_count(call, taking.added ? WEBHOOK_HOOKS : WEBHOOK_DUPLICATES);
    pack_map(call_pack(call), 2);
    pack_pair_text(call_pack(call), "id", taking.inbound.id);
    pack_pair_bool(call_pack(call), "duplicate", !taking.added);
    const bool added = taking.added;
    call_reply(call, added ? 0 : 200);
    if (added)
        relay_run(self);
}
