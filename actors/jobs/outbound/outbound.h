/* SPDX-License-Identifier: MPL-2.0
 *
 * outbound - calls to the outside: libcurl's multi interface on one thread
 *
 * Any thread hands over a transfer; its end is told by a callback on the thread that carries them.
 * Promises: every transfer ends exactly once and in time; at most `in_flight` are under way and
 * `per_host` to one other side, the rest wait, and too many are refused; a name is looked up first,
 * and only an address the fence lets pass is called, whatever the name means a moment later; what a
 * redirect leads to is judged anew; proxies of the environment, names and passwords in URLs, and
 * schemes but the few there are, are not used; TLS is verified; an answer is read up to a limit. A
 * host that fails again and again is left alone for a while (hosts.h).
 */
#ifndef SIGNALBOX_OUTBOUND_H
#define SIGNALBOX_OUTBOUND_H

#include "actors/base/settings.h"
#include "actors/base/stats.h"
#include "actors/jobs/outbound/hosts.h"
#include "actors/jobs/outbound/resolver.h"
#include "actors/jobs/outbound/url.h"
#include "actors/runtime/actor.h"

typedef struct outbound outbound_t;

/* ---- settings every instance shares ---------------------------------------------------------- */

typedef struct {
    const char *allow, *ca_file;
    bool https_only;
    int64_t in_flight, per_host, waiting, resolvers;
    int64_t connect_ms, total_ms, answer_bytes;
    int64_t breaker_failures, breaker_open_ms;
} outbound_settings_t;

extern outbound_settings_t outbound_settings;
extern const setting_t outbound_setting_rows[]; /* section "outbound" */

/* ---- what it counts: the first rows of the table of an actor that makes such calls ----------- */

typedef enum {
    OUTBOUND_CALLS,
    OUTBOUND_ANSWERED, /* from here on in the order of transfer_outcome_t */
    OUTBOUND_FENCED,
    OUTBOUND_UNRESOLVED,
    OUTBOUND_UNREACHABLE,
    OUTBOUND_UNTRUSTED,
    OUTBOUND_TIMEOUTS,
    OUTBOUND_BROKEN,
    OUTBOUND_RESTING,
    OUTBOUND_CANCELLED,
    OUTBOUND_REFUSED,
    OUTBOUND_REDIRECTS,
    OUTBOUND_BREAKERS_CHANGED,
    OUTBOUND_SENT_BYTES,
    OUTBOUND_RECEIVED_BYTES,
    OUTBOUND_ACTIVE,
    OUTBOUND_WAITING,
    OUTBOUND_TIME,
    OUTBOUND_STATS
} outbound_stat_t;

#define OUTBOUND_ERROR(reason)                                                                     \
    {                                                                                              \
        "outbound_errors_total{reason=\"" reason "\"}", STATS_COUNTER,                             \
            "Calls to the outside that were not answered, by how they ended"                       \
    }

#define OUTBOUND_STATS_ROWS                                                                        \
    [OUTBOUND_CALLS] = { "outbound_requests_total", STATS_COUNTER, "Calls to the outside begun" }, \
    [OUTBOUND_ANSWERED] = { "outbound_answered_total", STATS_COUNTER,                              \
                            "Calls to the outside that were answered, whatever the answer" },      \
    [OUTBOUND_FENCED] = OUTBOUND_ERROR("fenced"),                                                  \
    [OUTBOUND_UNRESOLVED] = OUTBOUND_ERROR("unresolved"),                                          \
    [OUTBOUND_UNREACHABLE] = OUTBOUND_ERROR("unreachable"),                                        \
    [OUTBOUND_UNTRUSTED] = OUTBOUND_ERROR("untrusted"),                                            \
    [OUTBOUND_TIMEOUTS] = OUTBOUND_ERROR("timeout"), [OUTBOUND_BROKEN] = OUTBOUND_ERROR("broken"), \
    [OUTBOUND_RESTING] = OUTBOUND_ERROR("resting"),                                                \
    [OUTBOUND_CANCELLED] = OUTBOUND_ERROR("cancelled"),                                            \
    [OUTBOUND_REFUSED] = OUTBOUND_ERROR("refused"), /* too many waited */                          \
        [OUTBOUND_REDIRECTS] = { "outbound_redirects_total", STATS_COUNTER,                        \
                                 "Redirects followed" },                                           \
    [OUTBOUND_BREAKERS_CHANGED] = { "outbound_breakers_changed_total", STATS_COUNTER,              \
                                    "Times a host's circuit breaker was opened or closed" },       \
    [OUTBOUND_SENT_BYTES] = { "outbound_sent_bytes_total", STATS_COUNTER,                          \
                              "Bytes of bodies sent" },                                            \
    [OUTBOUND_RECEIVED_BYTES] = { "outbound_received_bytes_total", STATS_COUNTER,                  \
                                  "Bytes of bodies received" },                                    \
    [OUTBOUND_ACTIVE] = { "outbound_active", STATS_GAUGE, "Calls to the outside under way" },      \
    [OUTBOUND_WAITING] = { "outbound_waiting", STATS_GAUGE, "Calls to the outside that wait" },    \
    [OUTBOUND_TIME] = { "outbound_request_duration_seconds", STATS_HISTOGRAM,                      \
                        "Time a call to the outside took, waiting included" }

/* ---- a transfer ------------------------------------------------------------------------------ */

/* How a transfer ended. */
typedef enum {
    TRANSFER_ANSWERED,    /* with `status`, whatever it says */
    TRANSFER_FENCED,      /* the address is not to be called: `why` says what it is */
    TRANSFER_UNRESOLVED,  /* the host has no address */
    TRANSFER_UNREACHABLE, /* nobody there, or the connection was refused */
    TRANSFER_UNTRUSTED,   /* TLS: the certificate is not good, or there is no common ground */
    TRANSFER_TIMEOUT,
    TRANSFER_BROKEN,    /* the answer broke off, or was none */
    TRANSFER_RESTING,   /* not tried: `retry_after_ms` until it may be */
    TRANSFER_CANCELLED, /* whoever wanted it does not any more, or the instance leaves */
} transfer_outcome_t;

extern const char *const transfer_outcome_names[]; /* "answered", "fenced" ... */

#define TRANSFER_HEADER_BYTES 255

typedef struct {
    transfer_outcome_t outcome;
    bool is_unbegun; /* the other side was not asked: it had to rest, or there was no turn */
    char why[200];   /* a sentence without a full stop, unless it was answered */
    uint32_t status; /* of HTTP, or of the last reply of SMTP */
    uint32_t retry_after_ms;
    char header[TRANSFER_HEADER_BYTES + 1]; /* the one that was asked for, cut; "" if none */
    const uint8_t
        *body; /* the first bytes, at most `answer_max`; borrowed until the callback ends */
    size_t body_size;
    bool is_cut; /* there was more */
    uint32_t redirects;
    /* microseconds since the beginning of the last hop, each including the ones before; 0: not
     * reached. `total_us` since the transfer was handed over */
    uint64_t dns_us, connect_us, tls_us, first_byte_us, total_us;
    char address[ADDRESS_TEXT_SIZE]; /* that was called; "" if none */
    int64_t certificate_expires_ms;  /* 0: unknown; only looked at with `is_probe` */
} transferred_t;

/* Runs once, on the thread that carries all transfers: it must not block. */
typedef void (*transfer_fn)(void *arg, const transferred_t *result);

typedef struct {
    const url_t *url;
    const char *verb;           /* of HTTP: "POST" */
    const char *const *headers; /* "Name: value" without control characters; ends with NULL */
    const void *body;           /* NULL: none */
    size_t size;
    const char *ask_header;        /* of the answer, to be told; NULL: none */
    uint32_t connect_ms, total_ms; /* 0: the settings' */
    size_t answer_max;             /* 0: the settings' */
    uint32_t redirects;            /* that are followed, of GET and HEAD; to another host without
                                      `headers` */
    bool is_probe;                 /* a connection of its own, and the certificate is looked at */
    bool is_look;                  /* made while its host rests, too, and says nothing about it */
    bool is_trusted;               /* the operator named the other side: the fence is open */
    /* of mail: who it is from, to whom (ends with NULL), with which name and password ("": none) */
    const char *mail_from, *const *mail_to, *user, *password;
    bool requires_tls;  /* of mail over a connection that begins without */
    const call_t *call; /* given up when its caller does; NULL: none */
    transfer_fn done;
    void *arg;
} transfer_t;

/* ---- life ------------------------------------------------------------------------------------ */

typedef struct {
    stats_t *stats; /* its first rows are ours */
    hosts_t *hosts;
    resolve_fn resolve;         /* NULL: the system's */
    void (*changed)(void *arg); /* a breaker has; on the thread that carries. NULL: nobody asks */
    void *arg;
} outbound_config_t;

/* NULL with a sentence when a setting is wrong. */
outbound_t *outbound_open(const outbound_config_t *config, char *why, size_t why_size);

/* Ends what is under way with TRANSFER_CANCELLED, stops the threads, and frees. */
void outbound_close(outbound_t **self_p);

/* NULL when the address may be called, or what it is (fence.h). */
const char *outbound_refusal(const outbound_t *self, const address_t *address);

/* Takes a transfer over; everything in it is copied. False, with nothing begun and `done` not to
 * run, when too many wait. */
bool outbound_send(outbound_t *self, const transfer_t *transfer) MUST_CHECK;

#endif
