/* SPDX-License-Identifier: MPL-2.0
 *
 * redis_url - where a Redis is and how to sign in there
 *
 *     redis://[[user]:password@]host[:port][/database]
 *     unix://[[user]:password@]/path/to/socket[?db=database]
 *
 * These are the forms other clients know too (the IANA registration of "redis", and redis-py's of
 * "unix"). User and password may be percent-encoded (RFC 3986, 2.1).
 */
#ifndef SIGNALBOX_REDIS_URL_H
#define SIGNALBOX_REDIS_URL_H

#include "actors/base/base.h"

#define REDIS_PORT          6379
#define REDIS_HOST_BYTES    255
#define REDIS_PATH_BYTES    107 /* what a unix socket's address holds */
#define REDIS_SECRET_BYTES  512
#define REDIS_DATABASES_MAX 100000

typedef struct {
    char host[REDIS_HOST_BYTES + 1]; /* "" for a unix socket */
    char path[REDIS_PATH_BYTES + 1]; /* "" for TCP */
    uint16_t port;
    uint32_t database;
    char user[REDIS_SECRET_BYTES + 1], password[REDIS_SECRET_BYTES + 1]; /* "": none */
} redis_url_t;

/* Reads a URL; false with a sentence that holds nothing of it. */
bool redis_url_parse(redis_url_t *self, const char *text, char *why, size_t why_size) MUST_CHECK;

#endif
