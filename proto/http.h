/* SPDX-License-Identifier: MPL-2.0
 *
 * http - the contract of the service that looks whether others answer
 *
 * A check of a site that is down has succeeded: it has found that out. Its reply says whether what
 * was expected held, and if not what did not.
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

extern const method_t http_check, http_breakers, http_breaker_set;

extern const service_t http_service;

#endif
