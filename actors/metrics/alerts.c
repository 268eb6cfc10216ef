/* SPDX-License-Identifier: MPL-2.0
 *
 * alerts - which rules are broken, since when, and what has been told of it
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/metrics/alerts.h"

#define KEY_BYTES 512

void alerts_init(alerts_t *self, uint64_t repeat_ms)
{
    *self = (alerts_t){ .repeat_ms = repeat_ms };
}

static void s_remove(alerts_t *self, alert_t *alert)
{
    HASH_DELETE(hh, self->list, alert);
    buf_free(&alert->labels);
    mem_free(alert);
}

void alerts_free(alerts_t *self)
{
    alert_t *alert, *next;
    HASH_ITER(hh, self->list, alert, next)
    {
        s_remove(self, alert);
    }
}

/* ---- one alert ------------------------------------------------------------------------------ */

/* Calls `each` for every label of the rule with its text in the item. */
static void s_each_label(const alert_rule_t *rule, const value_t *item,
                         void (*each)(void *arg, const char *name, size_t size, const char *text,
                                      size_t text_size),
                         void *arg)
{
    const char *at = rule->labels;
    for (size_t size; *at; at += size) {
        at += strspn(at, " ");
        size = strcspn(at, " ");
        const value_t *text = value_get_sized(item, at, size);
        bool good = value_is_type(text, VALUE_TEXT);
        each(arg, at, size, good ? text->text : "", good ? text->count : 0);
    }
}

typedef struct {
    char bytes[KEY_BYTES];
    size_t size;
} alert_key_t;

static void s_add_to_key(void *arg, const char *name, size_t size, const char *text,
                         size_t text_size)
{
    alert_key_t *key = arg;
    (void)name;
    (void)size;
    size_t room = KEY_BYTES - key->size - 1, kept = text_size < room ? text_size : room;
    memcpy(key->bytes + key->size, text, kept);
    key->size += kept;
    key->bytes[key->size++] = '\0';
}

static void s_pack_label(void *arg, const char *name, size_t size, const char *text,
                         size_t text_size)
{
    pack_t *pack = arg;
    pack_string(pack, name, size);
    pack_string(pack, text, text_size);
}

static size_t s_label_count(const alert_rule_t *rule)
{
    size_t count = rule->labels[0] != '\0';
    for (const char *at = rule->labels; (at = strchr(at, ' ')); at++)
        count++;
    return count;
}

/* The alert of a rule and an item; when it is new it is made, if `makes` and there is room. */
static alert_t *s_alert(alerts_t *self, const alert_rule_t *rule, const value_t *item, bool makes)
{
    alert_key_t key = { .size = 0 };
    alert_t *alert;
    pack_t pack;
    s_add_to_key(&key, NULL, 0, rule->name, strlen(rule->name));
    s_each_label(rule, item, s_add_to_key, &key);
    HASH_FIND(hh, self->list, key.bytes, key.size, alert);
    if (alert || !makes || HASH_COUNT(self->list) >= ALERTS_MAX) {
        self->dropped += !alert && makes;
        return alert;
    }
    alert = mem_zeroed(sizeof *alert + key.size);
    alert->rule = rule;
    memcpy(alert->key, key.bytes, key.size);
    pack_init(&pack, &alert->labels);
    pack_map(&pack, s_label_count(rule));
    s_each_label(rule, item, s_pack_label, &pack);
    HASH_ADD(hh, self->list, key, (unsigned)key.size, alert);
    return alert;
}

/* Several instances of the service name the same firing alike: by what it is about and the minute
 * in which it began. */
static void s_name(alert_t *alert, size_t key_size)
{
    uint8_t hash[16];
    uint64_t about = id_hash(alert->key, key_size);
    put_u64(hash, id_mix(about, (uint64_t)alert->since_wall_ms / 60000));
    put_u64(hash + 8, id_mix((uint64_t)alert->since_wall_ms / 60000, about));
    id_uuid8(hash, alert->id);
}

/* ---- looking -------------------------------------------------------------------------------- */

static void s_note_broken(alert_t *alert, double value, const alerts_look_t *look)
{
    if (!alert->since_ms || alert->ended_ms) {
        alert->since_ms = look->now_ms;
        alert->since_wall_ms = look->wall_ms;
        alert->told_ms = alert->ended_ms = 0;
    }
    alert->broken_ms = alert->taken_ms = look->now_ms;
    alert->value = value;
}

static void s_look_at_rule(alerts_t *self, const alert_rule_t *rule, const alerts_look_t *look)
{
    const value_t *item;
    double value;
    for (uint32_t i = 0; (item = rules_item(rule, look->summary, i)); i++) {
        const rule_verdict_t verdict = rules_judge(rule, item, &value);
        alert_t *alert =
            verdict == RULE_KEPT ? NULL : s_alert(self, rule, item, verdict == RULE_BROKEN);
        if (!alert)
            continue;
        if (verdict == RULE_BROKEN)
            s_note_broken(alert, value, look);
        else if (!alert->ended_ms && look->now_ms - alert->broken_ms < ALERTS_QUIET_MS)
            alert->taken_ms = look->now_ms;
    }
}

static void s_tell(alert_t *alert, const alerts_look_t *look, alert_step_t step)
{
    if (!look->tells)
        return;
    alert->told_ms = look->now_ms;
    look->tell(look->arg, alert, step);
}

/* It is over. Whoever should tell that may be gone without anybody having noticed. */
static void s_end(alerts_t *self, alert_t *alert, const alerts_look_t *look)
{
    if (alert->fires)
        alert->ended_ms = look->now_ms;
    alert->fires = false;
    if (alert->ended_ms && !look->tells && look->now_ms - alert->ended_ms < ALERTS_UNTOLD_MS)
        return;
    if (alert->ended_ms)
        s_tell(alert, look, ALERT_ENDS);
    s_remove(self, alert);
}

/* What follows from how it is now. */
static void s_step(alerts_t *self, alert_t *alert, const alerts_look_t *look)
{
    const alert_rule_t *rule = alert->rule;
    if (look->now_ms - alert->taken_ms > (uint64_t)rule->linger_s * 1000) {
        s_end(self, alert, look);
        return;
    }
    if (!alert->fires && look->now_ms - alert->since_ms >= (uint64_t)rule->for_s * 1000) {
        alert->fires = true;
        s_name(alert, alert->hh.keylen);
        s_tell(alert, look, ALERT_FIRES);
    } else if (alert->fires &&
               (!alert->told_ms || look->now_ms - alert->told_ms >= self->repeat_ms)) {
        s_tell(alert, look, ALERT_FIRES_STILL);
    }
}

void alerts_look(alerts_t *self, const alerts_look_t *look)
{
    alert_t *alert, *next;
    for (const alert_rule_t *rule = alert_rules; rule->name; rule++)
        s_look_at_rule(self, rule, look);
    HASH_ITER(hh, self->list, alert, next)
    {
        s_step(self, alert, look);
    }
}

int64_t alerts_count(const alerts_t *self)
{
    int64_t count = 0;
    for (const alert_t *at = self->list; at; at = at->hh.next)
        count += at->fires;
    return count;
}

/* ---- telling -------------------------------------------------------------------------------- */

void alerts_write_one(const alert_t *alert, const char *status, pack_t *out)
{
    pack_map(out, 9);
    pack_pair_text(out, "id", alert->id);
    pack_pair_text(out, "name", alert->rule->name);
    pack_pair_text(out, "severity", alert->rule->severity);
    pack_pair_text(out, "status", status);
    pack_pair_text(out, "about", alert->rule->about);
    pack_text(out, "labels");
    pack_raw(out, alert->labels.bytes, alert->labels.size);
    pack_text(out, "value");
    pack_double(out, alert->value);
    pack_text(out, "above");
    pack_double(out, alert->rule->above);
    pack_pair_time(out, "since", alert->since_wall_ms);
}

void alerts_write(const alerts_t *self, pack_t *out)
{
    size_t position = pack_open_array(out), count = 0;
    for (const alert_t *at = self->list; at; at = at->hh.next) {
        if (!at->fires)
            continue;
        alerts_write_one(at, "firing", out);
        count++;
    }
    pack_close(out, position, count);
}
