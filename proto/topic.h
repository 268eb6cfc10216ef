/* SPDX-License-Identifier: MPL-2.0
 *
 * topic - the topics of the event side, by symbol
 */
#ifndef SIGNALBOX_TOPIC_H
#define SIGNALBOX_TOPIC_H

#include "actors/base/base.h"

typedef enum {
#define TOPIC(symbol, prefix, retained, sentence) TOPIC_##symbol,
#include "proto/topic.def"
#undef TOPIC
    TOPIC_COUNT
} topic_id_t;

typedef struct {
    const char *prefix;
    bool retained;
    const char *about;
} topic_row_t;

const topic_row_t *topic_row(topic_id_t id);

/* A topic that a peer may name: 1 to 127 bytes of letters, digits, '.', '_' and '-'. */
#define TOPIC_BYTES_MAX 127
bool topic_is_valid(const char *topic, size_t size);

/* The row whose prefix fits; NULL for topics of other services. */
const topic_row_t *topic_find(const char *topic, size_t size);

#endif
