/* SPDX-License-Identifier: MPL-2.0
 *
 * limits_answer - what an answer tells about limits
 *
 * Every answer to a request that was counted has X-RateLimit-Tier, -Limit, -Window (seconds),
 * -Remaining and -Reset (seconds since 1970) of the policy that leaves least, and all policies in
 * RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10). A refusal names the
 * caller's tier, what it and the next one allow, and where to get that.
 */
#ifndef SIGNALBOX_EDGE_LIMITS_ANSWER_H
#define SIGNALBOX_EDGE_LIMITS_ANSWER_H

#include "edge/limits.h"

/* Appends header lines. `now_ms` is monotonic, `wall_ms` the same moment. */
void limits_write_headers(const allowance_t *allowance, const char *tier, uint64_t now_ms,
                          int64_t wall_ms, buf_t *out);

/* Fills the failure, and appends members of the problem document (problem.h). */
void limits_write_refusal(limits_t *limits, const allowance_t *allowance, const char *tier,
                          const char *upgrade_url, uint64_t now_ms, failure_t *failure,
                          buf_t *members);

#endif
