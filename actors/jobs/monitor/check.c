/* SPDX-License-Identifier: MPL-2.0
 *
 * check - whether an answer is what was expected
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/monitor/check.h"

#define MS_PER_DAY INT64_C(86400000)

void check_read_expectation(arena_t *arena, const value_t *expect, expectation_t *expectation)
{
    const value_t *statuses = value_get(expect, "status"), *status;
    *expectation =
        (expectation_t){ .contains = value_dup_text(arena, expect, "contains"),
                         .max_ms = value_get_int(expect, "max_ms", 0),
                         .certificate_days = value_get_int(expect, "certificate_days", -1) };
    for (uint32_t i = 0; i < CHECK_STATUSES_MAX && (status = value_item(statuses, i)); i++)
        if (status->type == VALUE_INT)
            expectation->statuses[expectation->status_count++] = status->integer;
}

static bool s_is_expected(const expectation_t *self, uint32_t status)
{
    if (self->status_count == 0)
        return status >= 200 && status < 300;
    for (size_t i = 0; i < self->status_count; i++)
        if (self->statuses[i] == (int64_t)status)
            return true;
    return false;
}

/* The first expectation that does not hold, in the order in which one sees them fail. */
static const char *s_find_fault(const transferred_t *from, const expectation_t *expect,
                                int64_t now_ms, char *detail, size_t size)
{
    const int64_t total_ms = (int64_t)(from->total_us / 1000);
    const int64_t days = (from->certificate_expires_ms - now_ms) / MS_PER_DAY;
    if (from->outcome != TRANSFER_ANSWERED) {
        snprintf(detail, size, "%s", from->why);
        return transfer_outcome_names[from->outcome];
    }
    if (!s_is_expected(expect, from->status)) {
        snprintf(detail, size, "The status is %u", from->status);
        return "status";
    }
    if (expect->contains &&
        !(from->body_size &&
          memmem(from->body, from->body_size, expect->contains, strlen(expect->contains)))) {
        snprintf(detail, size, "The body does not hold the text%s",
                 from->is_cut ? " as far as it was read" : "");
        return "body";
    }
    if (expect->max_ms && total_ms > expect->max_ms) {
        snprintf(detail, size, "It took %lld ms instead of at most %lld", (long long)total_ms,
                 (long long)expect->max_ms);
        return "latency";
    }
    if (expect->certificate_days >= 0 && from->certificate_expires_ms &&
        from->certificate_expires_ms - now_ms <= expect->certificate_days * MS_PER_DAY) {
        snprintf(detail, size, "A certificate ends in %lld days", (long long)days);
        return "certificate";
    }
    return NULL;
}

void check_judge(const transferred_t *from, const expectation_t *expect, int64_t now_ms,
                 check_result_t *result)
{
    *result = (check_result_t){ .status = from->outcome == TRANSFER_ANSWERED ? from->status : 0,
                                .dns_us = from->dns_us,
                                .connect_us = from->connect_us,
                                .tls_us = from->tls_us,
                                .first_byte_us = from->first_byte_us,
                                .total_us = from->total_us,
                                .size = (int64_t)from->body_size,
                                .redirects = from->redirects,
                                .certificate_expires_ms = from->certificate_expires_ms };
    text_copy(result->address, sizeof result->address, from->address, strlen(from->address));
    result->reason = s_find_fault(from, expect, now_ms, result->detail, sizeof result->detail);
    result->is_up = result->reason == NULL;
}

/* ---- packing ----------------------------------------------------------------------------- */

static void s_pack_ms(pack_t *out, const char *key, uint64_t us, bool is_certain)
{
    pack_text(out, key);
    if (us || is_certain)
        pack_double(out, (double)us / 1000);
    else
        pack_nil(out);
}

void check_write(const check_result_t *self, pack_t *out)
{
    pack_map(out, 9);
    pack_pair_bool(out, "up", self->is_up);
    pack_pair_text(out, "reason", self->reason);
    pack_pair_text(out, "detail", self->is_up ? NULL : self->detail);
    pack_text(out, "status");
    if (self->status)
        pack_int(out, self->status);
    else
        pack_nil(out);
    pack_text(out, "timings");
    pack_map(out, 5);
    s_pack_ms(out, "dns_ms", self->dns_us, true);
    s_pack_ms(out, "connect_ms", self->connect_us, false);
    s_pack_ms(out, "tls_ms", self->tls_us, false);
    s_pack_ms(out, "first_byte_ms", self->first_byte_us, false);
    s_pack_ms(out, "total_ms", self->total_us, true);
    pack_pair_int(out, "size", self->size);
    pack_pair_int(out, "redirects", self->redirects);
    pack_pair_text(out, "address", self->address[0] ? self->address : NULL);
    if (self->certificate_expires_ms)
        pack_pair_time(out, "certificate_expires_at", self->certificate_expires_ms);
    else
        pack_pair_text(out, "certificate_expires_at", NULL);
}
