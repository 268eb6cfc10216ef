/* SPDX-License-Identifier: MPL-2.0
 *
 * reply - a service's answer as the content of an HTTP answer
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "edge/reply.h"
#include "proto/json.h"

/* The field that holds the document when a method names a media type. */
#define CONTENT_FIELD "content"

bool reply_read(reply_t *self, const descriptor_method_t *method, const void *bytes, size_t size,
                arena_t *arena, buf_t *content, const value_t **tree, const char **why)
{
    value_verdict_t verdict;
    *tree = value_parse(arena, bytes, size, VALUE_LIMITS, &verdict);
    if (!*tree) {
        *why = value_verdict_text(verdict);
        return false;
    }
    if (!method->media) {
        size_t from = content->size;
        json_write(*tree, content);
        *self = (reply_t){ .media = "application/json",
                           .bytes = content->bytes + from,
                           .size = content->size - from };
        return true;
    }
    const value_t *document = value_get(*tree, CONTENT_FIELD);
    if (!value_is_type(document, VALUE_TEXT) && !value_is_type(document, VALUE_BINARY)) {
        *why = "it has no field 'content' that is a text or binary";
        return false;
    }
    *self = (reply_t){ .media = method->media, .bytes = document->bytes, .size = document->count };
    return true;
}

static void s_add_encoded(const char *text, size_t size, buf_t *out)
{
    for (size_t i = 0; i < size; i++) {
        if (id_is_name(&text[i], 1, 1) || text[i] == '~') /* RFC 3986, 2.3 */
            buf_add_byte(out, (uint8_t)text[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)text[i]);
    }
}

static bool s_add_field(const value_t *tree, const char *path, size_t size, buf_t *out)
{
    char name[DESCRIPTOR_PATH_BYTES + 1];
    memcpy(name, path, size);
    name[size] = '\0';
    const value_t *value = value_at(tree, name);
    if (value_is_type(value, VALUE_TEXT))
        s_add_encoded(value->text, value->count, out);
    else if (value_is_type(value, VALUE_INT))
        buf_printf(out, "%lld", (long long)value->integer);
    else
        return false;
    return true;
}

bool reply_location(const char *pattern, const value_t *tree, buf_t *out)
{
    while (*pattern) {
        size_t plain = strcspn(pattern, "{");
        buf_add(out, pattern, plain);
        pattern += plain;
        if (!*pattern)
            break;
        size_t size = strcspn(++pattern, "}");
        if (size > DESCRIPTOR_PATH_BYTES || !s_add_field(tree, pattern, size, out))
            return false;
        pattern += size + (pattern[size] == '}');
    }
    return true;
}
