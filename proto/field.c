/* SPDX-License-Identifier: MPL-2.0
 *
 * field - field rows written out as JSON Schema
 */
#include "config.h"

#include "proto/field.h"
#include "proto/json.h"

static const char *const s_types[] = {
    [FIELD_STRING] = "string",   [FIELD_INTEGER] = "integer", [FIELD_NUMBER] = "number",
    [FIELD_BOOLEAN] = "boolean", [FIELD_OBJECT] = "object",   [FIELD_ARRAY] = "array",
};

/* A default or example of a row: JSON text in the source, msgpack in the schema. */
static void s_pack_json(pack_t *out, const char *text, const char *field)
{
    json_error_t error;
    if (!json_to_msgpack(text, strlen(text), VALUE_LIMITS, 0, out->out, &error))
        die("field '%s': '%s' is not JSON: %s", field, text, json_verdict_text(error.verdict));
}

static void s_pack_choices(pack_t *out, const field_t *field)
{
    pack_text(out, "enum");
    size_t position = pack_open_array(out), count = 0;
    for (const char *at = field->choices; *at; count++) {
        size_t size = strcspn(at, " ");
        pack_string(out, at, size);
        at += size + (at[size] == ' ');
    }
    if (field->nullable) {
        pack_nil(out);
        count++;
    }
    pack_close(out, position, count);
}

static size_t s_pack_bound(pack_t *out, const char *keyword, double value)
{
    pack_text(out, keyword);
    if (value == (double)(int64_t)value)
        pack_int(out, (int64_t)value);
    else
        pack_double(out, value);
    return 1;
}

/* minimum, minLength or minItems, by type. */
static size_t s_pack_bounds(pack_t *out, const field_t *field)
{
    static const char *const keywords[][2] = {
        [FIELD_STRING] = { "minLength", "maxLength" },
        [FIELD_INTEGER] = { "minimum", "maximum" },
        [FIELD_NUMBER] = { "minimum", "maximum" },
        [FIELD_ARRAY] = { "minItems", "maxItems" },
        [FIELD_ANY] = { NULL, NULL },
    };
    size_t pairs = 0;
    const char *const *pair = keywords[field->type];
    if (!pair[0] || (field->min == 0 && field->max == 0))
        return 0;
    bool is_number = field->type == FIELD_INTEGER || field->type == FIELD_NUMBER;
    if (field->min != 0 || is_number)
        pairs += s_pack_bound(out, pair[0], field->min);
    if (field->max != 0)
        pairs += s_pack_bound(out, pair[1], field->max);
    return pairs;
}

static void s_pack_type(pack_t *out, const char *type, bool nullable)
{
    pack_text(out, "type");
    if (!nullable) {
        pack_text(out, type);
        return;
    }
    pack_array(out, 2);
    pack_text(out, type);
    pack_text(out, "null");
}

static size_t s_pack_object(pack_t *out, const field_t *fields, bool open);

static size_t s_pack_items(pack_t *out, const field_t *field)
{
    if (!field->fields && field->items == FIELD_ANY)
        return 0;
    pack_text(out, "items");
    size_t position = pack_open_map(out), pairs = 1;
    if (field->fields) {
        s_pack_type(out, "object", false);
        pairs += s_pack_object(out, field->fields, field->open);
    } else {
        s_pack_type(out, s_types[field->items], false);
    }
    pack_close(out, position, pairs);
    return 1;
}

static void s_pack_field(pack_t *out, const field_t *field)
{
    size_t position = pack_open_map(out), pairs = 0;
    if (field->type != FIELD_ANY) {
        s_pack_type(out, s_types[field->type], field->nullable);
        pairs++;
    }
    pairs += s_pack_bounds(out, field);
    if (field->choices) {
        s_pack_choices(out, field);
        pairs++;
    }
    const char *const texts[][2] = { { "format", field->format },
                                     { "pattern", field->pattern },
                                     { "description", field->about } };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i][1]) {
            pack_pair_text(out, texts[i][0], texts[i][1]);
            pairs++;
        }
    if (field->preset) {
        pack_text(out, "default");
        s_pack_json(out, field->preset, field->name);
        pairs++;
    }
    if (field->example) {
        pack_text(out, "examples");
        pack_array(out, 1);
        s_pack_json(out, field->example, field->name);
        pairs++;
    }
    if (field->type == FIELD_OBJECT && field->fields)
        pairs += s_pack_object(out, field->fields, field->open);
    if (field->type == FIELD_ARRAY)
        pairs += s_pack_items(out, field);
    pack_close(out, position, pairs);
}

/* The members that make an object of `fields`, without its "type"; returns the pairs packed. */
static size_t s_pack_object(pack_t *out, const field_t *fields, bool open)
{
    size_t pairs = 1, required = 0, count = 0;
    pack_text(out, "properties");
    size_t position = pack_open_map(out);
    for (const field_t *field = fields; field && field->name; field++, count++) {
        pack_text(out, field->name);
        s_pack_field(out, field);
        required += field->required;
    }
    pack_close(out, position, count);
    if (required) {
        pairs++;
        pack_text(out, "required");
        pack_array(out, required);
        for (const field_t *field = fields; field->name; field++)
            if (field->required)
                pack_text(out, field->name);
    }
    if (!open) {
        pairs++;
        pack_pair_bool(out, "additionalProperties", false);
    }
    return pairs;
}

void field_write_schema(const field_t *fields, pack_t *out)
{
    size_t position = pack_open_map(out), pairs = 1;
    s_pack_type(out, "object", false);
    pairs += s_pack_object(out, fields, false);
    pack_close(out, position, pairs);
}
