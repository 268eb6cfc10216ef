/* SPDX-License-Identifier: MPL-2.0
 *
 * http - the contract of the service that looks whether others answer
 *
 * A check of a site that is down has succeeded: it has found that out. Its reply says whether what
 * was expected held, and if not what did not.
 *
 * A monitor is a check that is made every so often. Its status changes when enough checks in a row
 * say so; that is told to webhooks, which may not miss it, and on the topics `monitor.down` and
 * `monitor.up` {account, id, name, url, status, detail, at}.
 */
#ifndef SIGNALBOX_PROTO_HTTP_H
#define SIGNALBOX_PROTO_HTTP_H

#include "proto/method.h"

#define HTTP_CHECK_MS_MAX  60000
#define HTTP_REDIRECTS_MAX 5
#define HTTP_STATUSES_MAX  20 /* that may be expected */

/* Why a check has failed: what the transfer came to, or the expectation that did not hold. */
#define HTTP_REASONS                                                                               \
    "fenced unresolved unreachable untrusted timeout broken resting status body latency "          \
    "certificate"

#define HTTP_SEND_HEADERS_MAX 20
#define HTTP_SEND_BODY_MAX    (16 << 20)
#define HTTP_SEND_TOLD_MAX    65536

#define HTTP_INTERVAL_S_MIN 30
#define HTTP_MONITORS_MAX   50 /* of one account */

#define HTTP_FETCH_BYTES_MAX (16 << 20)

/* Whether who answered with this status may answer otherwise another time: 408, 425, 429, 5xx. */
bool http_may_pass(int64_t status);

extern const method_t http_check, http_send, http_fetch, http_breakers, http_breaker_set;
extern const method_t http_monitor_create, http_monitors, http_monitor, http_monitor_update,
    http_monitor_delete, http_monitor_checks, http_monitor_run;

extern const service_t http_service;

#endif
