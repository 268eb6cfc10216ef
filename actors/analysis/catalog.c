/* SPDX-License-Identifier: MPL-2.0
 *
 * catalog - what the types of nodes are: the classes, and looking a type up
 */
#include "config.h"

#include "actors/analysis/catalog.h"

typedef struct {
    const char *name;
    uint32_t traits;
} class_row_t;

static const class_row_t s_classes[CLASS_COUNT] = {
    /* of a type nobody knows, assume what makes rules keep quiet */
    [CLASS_OTHER] = { "other", NODE_MAY_END },
    [CLASS_TRIGGER] = { "trigger", 0 },
    [CLASS_HTTP] = { "http", NODE_CALLS },
    [CLASS_SEND] = { "send", NODE_CALLS | NODE_EFFECT | NODE_UNSAFE_RETRY },
    [CLASS_DATABASE] = { "database", NODE_CALLS },
    [CLASS_APP] = { "app", NODE_CALLS },
    [CLASS_FILE] = { "file", 0 },
    [CLASS_CODE] = { "code", NODE_MAY_END | NODE_GUARDS },
    [CLASS_COMMAND] = { "command", NODE_CALLS | NODE_EFFECT | NODE_UNSAFE_RETRY },
    [CLASS_BRANCH] = { "branch", NODE_MAY_END | NODE_GUARDS },
    [CLASS_SWITCH] = { "switch", NODE_MAY_END | NODE_GUARDS },
    [CLASS_FILTER] = { "filter", NODE_MAY_END | NODE_GUARDS },
    [CLASS_MERGE] = { "merge", NODE_MAY_END },
    [CLASS_WAIT] = { "wait", NODE_PAUSES },
    [CLASS_LOOP] = { "loop", NODE_MAY_END | NODE_GUARDS },
    [CLASS_SPLIT] = { "split", NODE_MAY_END },
    [CLASS_LIMIT] = { "limit", NODE_MAY_END | NODE_GUARDS },
    [CLASS_RESPOND] = { "respond", 0 },
    [CLASS_SUBFLOW] = { "subflow", NODE_MAY_END },
    [CLASS_MODEL] = { "model", NODE_CALLS },
    [CLASS_AI_PART] = { "ai_part", 0 },
    [CLASS_TRANSFORM] = { "transform", 0 },
    [CLASS_STOP] = { "stop", NODE_MAY_END },
    [CLASS_CATCH] = { "catch", 0 },
    [CLASS_LINK] = { "link", 0 },
    [CLASS_COMMENT] = { "comment", 0 },
    [CLASS_CONFIG] = { "config", 0 },
    [CLASS_CONTAINER] = { "container", 0 },
};

const char *class_name(node_class_t class)
{
    return s_classes[class].name;
}

uint32_t class_traits(node_class_t class)
{
    return s_classes[class].traits;
}

const catalog_row_t *catalog_find(const catalog_t *catalog, slice_t type)
{
    size_t low = 0, high = catalog->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(type, slice_literal(catalog->rows[middle].type));
        if (order == 0)
            return &catalog->rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
