/* SPDX-License-Identifier: MPL-2.0
 *
 * respond - writes answers: one write each, with the headers every answer has
 */
#ifndef SIGNALBOX_EDGE_RESPOND_H
#define SIGNALBOX_EDGE_RESPOND_H

#include "edge/exchange.h"

/* What a browser may do with the answer (Content-Security-Policy). */
typedef enum {
    POLICY_DATA,  /* nothing: JSON and text */
    POLICY_PAGE,  /* our own page with our own scripts, styles and images */
    POLICY_MEDIA, /* a service's document: shown, but in a sandbox */
} policy_t;

typedef struct {
    unsigned status;
    const char *media; /* Content-Type; NULL: no content */
    const void *bytes; /* the content; unused when `media` is NULL */
    size_t size;
    policy_t policy;
    bool is_tagged;      /* gets an ETag, and 304 when the client has it already */
    const char *tag;     /* of the content, without quotes; NULL: made from its bytes */
    const char *coding;  /* the bytes are packed already: "gzip" */
    const char *caching; /* Cache-Control; NULL: what fits `is_tagged` */
} response_t;

/* Adds a header line to the answer; the value is a text of our own or one that was checked. */
void respond_header(exchange_t *exchange, const char *name, const char *value);

/* Answers; happens once. HEAD, 204 and 304 go without content. */
void respond(exchange_t *exchange, const response_t *response);

/* Answers with the exchange's failure as a problem document. */
void respond_failure(exchange_t *exchange);

/* Begins an answer whose length is not known and whose end is the connection's. False when the
 * client is gone. */
bool respond_stream(exchange_t *exchange, const char *media);

/* A complete answer with a problem, for connections that no exchange exists for. */
void respond_without_exchange(const failure_t *failure, buf_t *out);

/* Whether the page of this origin may call us. */
bool respond_knows_origin(const exchange_t *exchange, const char *origin);

#endif
