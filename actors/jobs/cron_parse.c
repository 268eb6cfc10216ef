/* SPDX-License-Identifier: MPL-2.0
 *
 * cron_parse - reads a cron expression
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "actors/jobs/cron.h"

#define FIELDS_MAX  6
#define SHOWN_BYTES 20 /* of what is not understood */

typedef enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY } field_id_t;

typedef struct {
    const char *name;
    unsigned min, max;
    const char *words; /* names of the values from `first_word` on, three letters each */
    unsigned first_word;
    const char *allowed; /* for the sentence */
} field_row_t;

static const field_row_t s_fields[] = {
    [SECOND] = { "second", 0, 59, "", 0, "0 to 59" },
    [MINUTE] = { "minute", 0, 59, "", 0, "0 to 59" },
    [HOUR] = { "hour", 0, 23, "", 0, "0 to 23" },
    [DAY] = { "day of month", 1, 31, "", 0, "1 to 31, or L for the last day" },
    [MONTH] = { "month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", 1,
                "1 to 12, or JAN to DEC" },
    [WEEKDAY] = { "day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT", 0,
                  "0 to 7 (0 and 7 are Sunday), SUN to SAT, or FRIL for the last Friday of the "
                  "month" },
};

static const struct {
    const char *name, *text;
} s_shorthands[] = {
    { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
    { "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
    { "@hourly", "0 * * * *" },
};

/* What a field says. */
typedef struct {
    uint64_t set;
    uint64_t last; /* values with an L behind them */
    bool is_last;  /* L alone: of days */
    bool is_open;  /* begins with * */
} said_t;

typedef struct {
    const char *at, *end;
} text_t;

static bool s_take(text_t *text, char expected)
{
    if (text->at >= text->end || *text->at != expected)
        return false;
    text->at++;
    return true;
}

static bool s_take_last(text_t *text)
{
    return s_take(text, 'L') || s_take(text, 'l');
}

/* At most two digits: no field has more. */
static bool s_read_digits(text_t *text, unsigned *value)
{
    const char *first = text->at;
    for (*value = 0; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        if (text->at - first == 2)
            return false;
        *value = *value * 10 + (unsigned)(*text->at - '0');
    }
    return text->at > first;
}

static bool s_read_value(text_t *text, const field_row_t *row, unsigned *value)
{
    if (text->end - text->at >= 3)
        for (size_t i = 0; row->words[3 * i]; i++)
            if (strncasecmp(text->at, row->words + 3 * i, 3) == 0) {
                text->at += 3;
                *value = row->first_word + (unsigned)i;
                return true;
            }
    return s_read_digits(text, value) && *value >= row->min && *value <= row->max;
}

/* ---- one item of a list ---------------------------------------------------------------------- */

typedef enum { ITEM_GOOD, ITEM_BAD, ITEM_BACKWARDS, ITEM_BAD_STEP } verdict_t;

/* From low to high, both included. A week that ends on Sunday ends with 7. */
static verdict_t s_read_range(text_t *text, field_id_t id, unsigned *low, unsigned *high)
{
    const field_row_t *row = &s_fields[id];
    *low = row->min;
    *high = id == WEEKDAY ? 6 : row->max;
    if (s_take(text, '*'))
        return ITEM_GOOD;
    if (!s_read_value(text, row, low))
        return ITEM_BAD;
    if (!s_take(text, '-')) {
        if (text->at >= text->end || *text->at != '/')
            *high = *low;
        return ITEM_GOOD;
    }
    if (!s_read_value(text, row, high))
        return ITEM_BAD;
    if (id == WEEKDAY && *high == 0 && *low > 0)
        *high = 7;
    return *low <= *high ? ITEM_GOOD : ITEM_BACKWARDS;
}

static verdict_t s_read_item(text_t text, field_id_t id, said_t *said)
{
    unsigned low, high, step = 1;
    if (id == DAY && s_take_last(&text)) {
        said->is_last = true;
        return text.at == text.end ? ITEM_GOOD : ITEM_BAD;
    }
    verdict_t verdict = s_read_range(&text, id, &low, &high);
    if (verdict != ITEM_GOOD)
        return verdict;
    if (s_take(&text, '/')) {
        if (!s_read_digits(&text, &step) || step < 1 || step > s_fields[id].max)
            return ITEM_BAD_STEP;
    } else if (id == WEEKDAY && low == high && s_take_last(&text)) {
        said->last |= UINT64_C(1) << low;
        return text.at == text.end ? ITEM_GOOD : ITEM_BAD;
    }
    for (unsigned value = low; value <= high; value += step)
        said->set |= UINT64_C(1) << value;
    return text.at == text.end ? ITEM_GOOD : ITEM_BAD;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static bool s_fail(char why[CRON_WHY_SIZE], field_id_t id, text_t item, verdict_t verdict)
{
    const field_row_t *row = &s_fields[id];
    int size = (int)(item.end - item.at < SHOWN_BYTES ? item.end - item.at : SHOWN_BYTES);
    while (size > 0 && item.at + size < item.end && (item.at[size] & 0xc0) == 0x80)
        size--; /* no half of a letter */
    switch (verdict) {
    case ITEM_BACKWARDS:
        snprintf(why, CRON_WHY_SIZE, "%s: the range '%.*s' ends before it begins", row->name, size,
                 item.at);
        break;
    case ITEM_BAD_STEP:
        snprintf(why, CRON_WHY_SIZE, "%s: the step of '%.*s' must be 1 to %u", row->name, size,
                 item.at, row->max);
        break;
    default:
        snprintf(why, CRON_WHY_SIZE,
                 "%s: '%.*s' is not understood; write %s, also as ranges (a-b), steps (*/n) and "
                 "lists with commas, or *",
                 row->name, size, item.at, row->allowed);
    }
    return false;
}

static bool s_read_field(text_t field, field_id_t id, said_t *said, char why[CRON_WHY_SIZE])
{
    *said = (said_t){ .is_open = *field.at == '*' };
    for (text_t item = field; item.at <= field.end; item.at = item.end + 1) {
        const char *comma = memchr(item.at, ',', (size_t)(field.end - item.at));
        item.end = comma ? comma : field.end;
        verdict_t verdict = s_read_item(item, id, said);
        if (verdict != ITEM_GOOD)
            return s_fail(why, id, item, verdict);
    }
    return true;
}

static bool s_is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts an expression at its spaces; returns how many fields it has, which may be more than are
 * kept. */
static size_t s_split(text_t text, text_t fields[FIELDS_MAX])
{
    size_t count = 0;
    for (;;) {
        while (text.at < text.end && s_is_space(*text.at))
            text.at++;
        if (text.at == text.end)
            return count;
        const char *first = text.at;
        while (text.at < text.end && !s_is_space(*text.at))
            text.at++;
        if (count < FIELDS_MAX)
            fields[count] = (text_t){ first, text.at };
        count++;
    }
}

/* The seventh day is the first one. */
static uint8_t s_week(uint64_t set)
{
    return (uint8_t)((set | set >> 7) & 0x7f);
}

static void s_take_over(cron_t *self, const said_t said[FIELDS_MAX])
{
    const said_t *day = &said[DAY], *weekday = &said[WEEKDAY];
    *self = (cron_t){
        .seconds = said[SECOND].set,
        .minutes = said[MINUTE].set,
        .hours = (uint32_t)said[HOUR].set,
        .days = (uint32_t)day->set,
        .months = (uint32_t)said[MONTH].set,
        .weekdays = s_week(weekday->set),
        .last_weekdays = s_week(weekday->last),
        .last_day = day->is_last,
        .both_days = day->is_open || weekday->is_open,
    };
}

static bool s_fail_shorthand(char why[CRON_WHY_SIZE])
{
    snprintf(why, CRON_WHY_SIZE,
             "That shorthand is not known; write @yearly, @monthly, @weekly, @daily, @hourly, or "
             "five fields");
    return false;
}

bool cron_parse(cron_t *self, const char *bytes, size_t size, char why[CRON_WHY_SIZE])
{
    text_t text = { bytes, bytes + size }, fields[FIELDS_MAX];
    said_t said[FIELDS_MAX];
    why[0] = '\0';
    if (size > CRON_TEXT_BYTES) {
        snprintf(why, CRON_WHY_SIZE, "It is longer than %d bytes", CRON_TEXT_BYTES);
        return false;
    }
    size_t count = s_split(text, fields);
    if (count == 1 && *fields[0].at == '@') {
        size_t length = (size_t)(fields[0].end - fields[0].at), i = 0;
        while (i < COUNT_OF(s_shorthands) &&
               (strlen(s_shorthands[i].name) != length ||
                strncasecmp(s_shorthands[i].name, fields[0].at, length) != 0))
            i++;
        if (i == COUNT_OF(s_shorthands))
            return s_fail_shorthand(why);
        text.at = s_shorthands[i].text;
        text.end = text.at + strlen(text.at);
        count = s_split(text, fields);
    }
    if (count != 5 && count != 6) {
        snprintf(why, CRON_WHY_SIZE,
                 "It has %zu field%s; write five (minute, hour, day of month, month, day of week), "
                 "or six with the second first",
                 count, count == 1 ? "" : "s");
        return false;
    }
    field_id_t first = count == 5 ? MINUTE : SECOND;
    said[SECOND] = (said_t){ .set = 1 };
    for (size_t i = 0; i < count; i++)
        if (!s_read_field(fields[i], first + (field_id_t)i, &said[first + i], why))
            return false;
    s_take_over(self, said);
    return true;
}
