/* SPDX-License-Identifier: MPL-2.0
 *
 * topic - the topics of the event side, by symbol
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "proto/topic.h"

static const topic_row_t s_rows[TOPIC_COUNT] = {
#define TOPIC(symbol, prefix, retained, sentence) [TOPIC_##symbol] = { prefix, retained, sentence },
#include "proto/topic.def"
#undef TOPIC
};

const topic_row_t *topic_row(topic_id_t id)
{
    insist(id < TOPIC_COUNT);
    return &s_rows[id];
}

bool topic_is_valid(const char *topic, size_t size)
{
    return id_is_name(topic, size, TOPIC_BYTES_MAX);
}

const topic_row_t *topic_find(const char *topic, size_t size)
{
    const topic_row_t *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        size_t prefix = strlen(s_rows[i].prefix);
        bool open = s_rows[i].prefix[prefix - 1] == '.';
        if ((open ? size > prefix : size == prefix) &&
            memcmp(topic, s_rows[i].prefix, prefix) == 0 && prefix > best_size) {
            best = &s_rows[i];
            best_size = prefix;
        }
    }
    return best;
}
