/* SPDX-License-Identifier: MPL-2.0
 *
 * guard - decides whether the bytes of a request's head are one HTTP request and nothing else
 *
 * A pure function over raw bytes, run before civetweb's own parser sees them. civetweb 1.15 accepts
 * what RFC 9112 says to refuse (Transfer-Encoding beside Content-Length, folded headers that hide a
 * body, odd lengths, bare line feeds ...): each is a way to make two servers disagree where a
 * request ends, and so to smuggle one past the first. Here every head is either refused with the
 * sentence that says why, or rewritten in place into a form that has only one reading.
 */
#ifndef SIGNALBOX_EDGE_GUARD_H
#define SIGNALBOX_EDGE_GUARD_H

#include "edge/http.h"
#include "proto/error.h"

#define GUARD_HEADERS_MAX 64 /* civetweb drops the ones behind without a word */
#define GUARD_LINE_EXTRA  64 /* bytes of the request line beside its target */

typedef struct {
    size_t target_bytes;  /* of the request line's target */
    size_t headers_bytes; /* of all header lines together */
} guard_limits_t;

/* What the rest of the edge needs to know of an accepted head. */
typedef struct {
    http_verb_t verb;
    bool is_1_0;           /* HTTP/1.0 */
    bool keep_alive;       /* the connection may serve another request */
    bool is_chunked;       /* a body in chunks follows */
    bool expects_continue; /* the client waits for 100 before it sends the body */
    bool is_asterisk;      /* the target was "*" */
    bool host_is_loopback; /* Host (or the absolute target) names this machine */
    uint64_t length;       /* of the body, when it is not chunked */
} guard_head_t;

typedef enum {
    GUARD_GOOD,
    GUARD_BAD_LINE,
    GUARD_BARE_LF,
    GUARD_BAD_TARGET,
    GUARD_LONG_TARGET,
    GUARD_BAD_VERSION,
    GUARD_UNKNOWN_METHOD,
    GUARD_REFUSED_METHOD,
    GUARD_FOLDED,
    GUARD_NAME_SPACE,
    GUARD_BAD_NAME,
    GUARD_BAD_VALUE,
    GUARD_MANY_HEADERS,
    GUARD_LARGE_HEAD,
    GUARD_NO_HOST,
    GUARD_TWO_HOSTS,
    GUARD_BAD_HOST,
    GUARD_BAD_LENGTH,
    GUARD_TWO_LENGTHS,
    GUARD_LENGTH_AND_CODING,
    GUARD_CODING_IN_1_0,
    GUARD_BAD_CODING,
    GUARD_UNKNOWN_CODING,
    GUARD_BAD_EXPECT,
    GUARD_TIMEOUT, /* the bytes did not come in time: found by whoever reads them */
    GUARD_VERDICTS
} guard_verdict_t;

typedef struct {
    error_code_t code;
    const char *sentence;
} guard_row_t;

/* The error and the sentence of a verdict. */
const guard_row_t *guard_row(guard_verdict_t verdict);

/* Bytes of empty lines before a request line, which may follow a body (RFC 9112, 2.2). */
size_t guard_blank(const char *bytes, size_t size);

/* Where the head ends: the number of its bytes, 0 when it is not complete. Looks from `*scanned` on
 * and moves it, so that bytes that come one by one are not read again and again. A blank line ended
 * by a bare LF counts as an end too: the head is then complete, and wrong. */
size_t guard_end(const char *bytes, size_t size, size_t *scanned);

/* Whether a head of which only these bytes have come can still become a good one. */
guard_verdict_t guard_partial(const char *bytes, size_t size, const guard_limits_t *limits);

/* Checks a complete head of `*size` bytes and fills `head`. A good one is rewritten in place: tabs
 * in values become spaces, space behind values moves before them, an absolute target or "*" becomes
 * a path; `*size` is the size afterwards, never larger. */
guard_verdict_t guard_check(char *bytes, size_t *size, const guard_limits_t *limits,
                            guard_head_t *head);

#endif
