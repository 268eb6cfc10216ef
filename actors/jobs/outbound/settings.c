/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - how calls to the outside are made, by whichever actor
 */
#include "config.h"

#include "actors/jobs/outbound/outbound.h"

outbound_settings_t outbound_settings;

#define ROW(field) offsetof(outbound_settings_t, field)

const setting_t outbound_setting_rows[] = {
    { "allow", SETTING_TEXT, ROW(allow),
      .about = "Networks that may be called although they are not public, as 10.1.0.0/16; several "
               "are separated by spaces or commas." },
    { "https_only", SETTING_BOOL, ROW(https_only), "false",
      .about = "Whether http without TLS is refused." },
    { "ca_file", SETTING_TEXT, ROW(ca_file),
      .about = "File of certificates to trust instead of the system's." },
    { "in_flight", SETTING_INT, ROW(in_flight), "64", 1, 10000, NULL,
      .about = "Calls under way at once, of one actor." },
    { "per_host", SETTING_INT, ROW(per_host), "8", 1, 10000, NULL,
      .about = "Calls under way at once to the same host and port." },
    { "waiting", SETTING_INT, ROW(waiting), "1000", 0, 100000, NULL,
      .about = "Calls that may wait for their turn." },
    { "resolvers", SETTING_INT, ROW(resolvers), "4", 1, 64, "threads",
      .about = "Threads that look names up." },
    { "connect_ms", SETTING_INT, ROW(connect_ms), "5000", 1, 600000, "ms",
      .about = "How long connecting may take, TLS included." },
    { "total_ms", SETTING_INT, ROW(total_ms), "20000", 1, 600000, "ms",
      .about = "How long a call may take, waiting for its turn included." },
    { "answer_bytes", SETTING_INT, ROW(answer_bytes), "65536", 0, 16 << 20, "bytes",
      .about = "How much of an answer is read." },
    { "breaker_failures", SETTING_INT, ROW(breaker_failures), "5", 1, 1000, NULL,
      .about = "Failures in a row after which a host is given a rest." },
    { "breaker_open_ms", SETTING_INT, ROW(breaker_open_ms), "30000", 1, 600000, "ms",
      .about = "How long that rest is." },
    { 0 },
};
