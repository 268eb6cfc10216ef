/* SPDX-License-Identifier: MPL-2.0
 *
 * service_reply - what handlers and replies share: finding an analysis, and packing what it is
 */
#include "config.h"

#include "actors/analysis/service.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

/* ---- finding --------------------------------------------------------------------------------- */

const stored_t *service_require_analysis(call_t *call, const char *field)
{
    const stored_t *found;
    db_status_t status = store_get(call_db(call), call_arena(call), service_account(call),
                                   call_text(call, field), &found);
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (!found)
        call_fail(call, ERROR_NOT_FOUND, "There is no analysis with this id");
    return found;
}

measured_t service_measured(const call_t *call, const brief_t *brief)
{
    measured_t measured = { .account = service_account(call),
                            .workflow_id = brief->workflow_id,
                            .profile = brief->profile,
                            .at = { .at_ms = brief->created_ms } };
    text_copy(measured.at.id, sizeof measured.at.id, brief->id, ID_UUID_SIZE - 1);
    return measured;
}

/* A map whose head is one byte, as that of every result is. */
static bool s_is_small_map(uint8_t head)
{
    return (head & 0xf0) == 0x80;
}

/* What we have stored and cannot read is our fault, and somebody has to look at it. */
static void s_fail_unreadable(call_t *call, const stored_t *stored)
{
    LOG(LOG_ERROR, "analysis.unreadable", LOG_TEXT("id", stored->brief.id));
    call_fail(call, ERROR_INTERNAL, "The stored analysis cannot be read");
}

/* A result goes out as it was stored, so it is looked at first: whole msgpack, and a map. */
const uint8_t *service_require_result_bytes(call_t *call, const stored_t *stored)
{
    const uint8_t *bytes = unsqueeze(call_arena(call), &stored->result, STORE_RESULT_BYTES);
    if (bytes && value_check(bytes, stored->result.full, VALUE_LIMITS, NULL) == VALUE_GOOD &&
        s_is_small_map(bytes[0]))
        return bytes;
    s_fail_unreadable(call, stored);
    return NULL;
}

const value_t *service_require_result(call_t *call, const stored_t *stored)
{
    value_verdict_t verdict;
    const uint8_t *bytes = service_require_result_bytes(call, stored);
    if (!bytes)
        return NULL;
    const value_t *result =
        value_parse(call_arena(call), bytes, stored->result.full, VALUE_LIMITS, &verdict);
    insist(result); /* the bytes have been checked */
    return result;
}

bool service_require_sketch(call_t *call, const stored_t *stored, sketch_t *sketch)
{
    const uint8_t *bytes = unsqueeze(call_arena(call), &stored->sketch, STORE_RESULT_BYTES);
    if (bytes && sketch_read(sketch, call_arena(call), bytes, stored->sketch.full))
        return true;
    s_fail_unreadable(call, stored);
    return false;
}

/* ---- packing --------------------------------------------------------------------------------- */

void reply_severities(pack_t *pack, const int64_t by_severity[SEVERITY_COUNT])
{
    pack_text(pack, "by_severity");
    pack_map(pack, SEVERITY_COUNT);
    for (severity_t s = SEVERITY_COUNT; s-- > 0;)
        pack_pair_int(pack, severity_name(s), by_severity[s]);
}

static void s_write_identity(pack_t *pack, const brief_t *brief)
{
    pack_pair_text(pack, "id", brief->id);
    pack_pair_text(pack, "workflow_id", brief->workflow_id);
    pack_pair_text(pack, "name", brief->name);
    pack_pair_time(pack, "created_at", brief->created_ms);
}

void reply_brief(pack_t *pack, const brief_t *brief)
{
    pack_map(pack, 11);
    s_write_identity(pack, brief);
    pack_pair_text(pack, "kind", brief->kind);
    pack_pair_text(pack, "profile", brief->profile);
    pack_pair_int(pack, "score", brief->score);
    pack_pair_text(pack, "grade", brief->grade);
    pack_pair_int(pack, "nodes", brief->nodes);
    pack_pair_int(pack, "wires", brief->wires);
    reply_severities(pack, brief->by_severity);
}

/* The result is a map of a few pairs, whose head is one byte: its members move over as they are. */
void reply_analysis(pack_t *pack, const brief_t *brief, repeated_t repeated, const uint8_t *result,
                    size_t size)
{
    insist(size > 0 && s_is_small_map(result[0]));
    size_t members = result[0] & 0x0f;
    pack_map(pack, members + 4 + (repeated != REPEATED_UNSAID));
    s_write_identity(pack, brief);
    if (repeated != REPEATED_UNSAID)
        pack_pair_bool(pack, "repeated", repeated == REPEATED_YES);
    pack_raw(pack, result + 1, size - 1);
}
