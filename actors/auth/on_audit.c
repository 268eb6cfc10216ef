/* SPDX-License-Identifier: MPL-2.0
 *
 * on_audit - the audit log: reading it, and looking whether it is whole
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/auth/auth.h"

#define VERIFY_BATCH 2000 /* entries a call looks at */

void auth_on_audit(call_t *call, void *arg)
{
    audit_entries_t entries;
    const size_t limit = (size_t)call_int(call, "limit");
    const int64_t before = call_int(call, "before");
    const auth_t *self = arg;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(call, auth_store_audit_list(
                                            conn, call_arena(call), before ? before : INT64_MAX,
                                            call_text(call, "user_id"), call_text(call, "action"),
                                            limit + 1, &entries)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, entries.count, limit);
    for (size_t i = 0; i < shown; i++)
        auth_reply_entry(pack, &self->vault, call_arena(call), &entries.list[i]);
    if (entries.count > shown)
        pack_pair_int(pack, "next_before", entries.list[shown - 1].sequence);
    else
        pack_pair_text(pack, "next_before", NULL);
    call_reply(call, 0);
}

/* ---- verifying ------------------------------------------------------------------------------- */

/* The hash that entry `sequence` has; zeros for the beginning. False: there is no such entry. */
static db_status_t s_hash_of(db_conn_t *conn, arena_t *arena, int64_t sequence,
                             uint8_t hash[VAULT_HASH_BYTES], bool *found)
{
    audit_entries_t entries;
    memset(hash, 0, VAULT_HASH_BYTES);
    *found = sequence == 0;
    if (*found)
        return DB_OK;
    db_status_t status = auth_store_audit_after(conn, arena, sequence - 1, 1, &entries);
    *found = status == DB_OK && entries.count == 1 && entries.list[0].sequence == sequence;
    if (*found)
        memcpy(hash, entries.list[0].hash, VAULT_HASH_BYTES);
    return status;
}

/* Goes along the entries as far as they are what they were; `hash` is the last good one's. */
static bool s_follow(const vault_t *vault, const audit_entries_t *entries, int64_t *verified,
                     uint8_t hash[VAULT_HASH_BYTES])
{
    for (size_t i = 0; i < entries->count; i++) {
        uint8_t expected[VAULT_HASH_BYTES];
        const audit_entry_t *entry = &entries->list[i];
        auth_store_audit_hash(vault, hash, entry, expected);
        if (entry->sequence != *verified + 1 ||
            sodium_memcmp(expected, entry->hash, sizeof expected) != 0)
            return false;
        *verified = entry->sequence;
        memcpy(hash, expected, sizeof expected);
    }
    return true;
}

void auth_on_audit_verify(call_t *call, void *arg)
{
    const auth_t *self = arg;
    uint8_t hash[VAULT_HASH_BYTES], head_hash[VAULT_HASH_BYTES];
    char hex[2 * VAULT_HASH_BYTES + 1];
    audit_entries_t entries = { 0 };
    int64_t verified = call_int(call, "after"), head;
    bool good = false;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn)
        return;
    /* the head first: what is appended meanwhile lies behind it */
    db_status_t status = auth_store_audit_head(conn, &head, head_hash);
    if (status == DB_OK)
        status = s_hash_of(conn, call_arena(call), verified, hash, &good);
    if (status == DB_OK && good)
        status = auth_store_audit_after(conn, call_arena(call), verified, VERIFY_BATCH, &entries);
    if (!auth_require_ok(call, status))
        return;
    good = good && s_follow(&self->vault, &entries, &verified, hash);
    /* entries that were cut off at the end are missed by the head */
    if (good && entries.count < VERIFY_BATCH && verified < head)
        good = false;
    if (good && verified == head)
        good = sodium_memcmp(hash, head_hash, sizeof hash) == 0;
    pack_map(call_pack(call), 4);
    pack_pair_bool(call_pack(call), "good", good);
    pack_pair_int(call_pack(call), "verified", verified);
    pack_pair_int(call_pack(call), "head", head);
    pack_pair_text(call_pack(call), "hash", id_hex(hash, sizeof hash, hex));
    call_reply(call, 0);
}
