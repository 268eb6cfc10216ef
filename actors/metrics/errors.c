/* SPDX-License-Identifier: MPL-2.0
 *
 * errors - failures of ours, grouped by what they are
 */
#include "config.h"

#include <sodium.h>
#include <utlist.h>

#include "actors/base/text.h"
#include "actors/metrics/errors.h"
#include "actors/metrics/likeness.h"

void errors_init(errors_t *self, int64_t keep_ms)
{
    *self = (errors_t){ .keep_ms = keep_ms };
}

static void s_remove(errors_t *self, error_group_t *group)
{
    HASH_DELETE(hh, self->groups, group);
    DL_DELETE(self->newest, group);
    self->bytes -= group->bytes;
    mem_free(group->message);
    buf_free(&group->sample);
    mem_free(group);
}

void errors_free(errors_t *self)
{
    while (self->newest)
        s_remove(self, self->newest);
}

/* ---- what is counted already ---------------------------------------------------------------- */

/* Whether somebody else has told of the same; otherwise it is noted that this one has. */
static bool s_is_echo(errors_t *self, const fault_t *fault, const char *message,
                      const char *publisher, int64_t wall_ms)
{
    if (!fault->request_id[0])
        return false;
    const uint64_t request = id_mix(
        id_hash(fault->request_id, strlen(fault->request_id)),
        id_mix(id_hash(fault->code, strlen(fault->code)), id_hash(message, strlen(message))));
    const uint64_t teller = id_hash(publisher, strlen(publisher));
    for (size_t i = 0; i < ERRORS_RECENT; i++) {
        const error_mark_t *mark = &self->marks[i];
        if (mark->request == request && mark->publisher != teller &&
            wall_ms - mark->wall_ms < ERRORS_ECHO_MS)
            return true;
    }
    self->marks[self->mark++ % ERRORS_RECENT] = (error_mark_t){ request, teller, wall_ms };
    return false;
}

/* ---- groups --------------------------------------------------------------------------------- */

static void s_name(const fault_t *fault, const char *message, char fingerprint[ID_UUID_SIZE])
{
    const char *const texts[] = { fault->code, fault->part, fault->method, message };
    uint8_t hash[16];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        crypto_generichash_update(&state, (const uint8_t *)texts[i], strlen(texts[i]) + 1);
    crypto_generichash_final(&state, hash, sizeof hash);
    id_uuid8(hash, fingerprint);
}

static void s_copy(char *to, size_t room, const char *text)
{
    text_copy(to, room, text, strlen(text));
}

static error_group_t *s_make(errors_t *self, const fault_t *fault, const char *message,
                             const char *fingerprint, int64_t wall_ms)
{
    error_group_t *group = mem_zeroed(sizeof *group);
    s_copy(group->fingerprint, sizeof group->fingerprint, fingerprint);
    s_copy(group->code, sizeof group->code, fault->code);
    s_copy(group->part, sizeof group->part, fault->part);
    s_copy(group->method, sizeof group->method, fault->method);
    group->message = mem_strdup(message);
    group->first_ms = wall_ms;
    HASH_ADD_STR(self->groups, fingerprint, group);
    DL_PREPEND(self->newest, group);
    return group;
}

static void s_note_instance(error_group_t *group, const char *publisher)
{
    size_t i = 0;
    s_copy(group->last_instance, sizeof group->last_instance, publisher);
    while (i < group->instance_count && strcmp(group->instances[i], group->last_instance) != 0)
        i++;
    if (i == group->instance_count && i < ERRORS_INSTANCES_MAX)
        s_copy(group->instances[group->instance_count++], ID_INSTANCE_SIZE, publisher);
}

static void s_meet(errors_t *self, error_group_t *group, const fault_t *fault,
                   const char *publisher, int64_t wall_ms)
{
    pack_t pack;
    DL_DELETE(self->newest, group);
    DL_PREPEND(self->newest, group);
    group->count++;
    group->last_ms = wall_ms;
    s_note_instance(group, publisher);
    buf_free(&group->sample);
    pack_init(&pack, &group->sample);
    fault_write(fault, &pack);
    self->bytes -= group->bytes;
    group->bytes = sizeof *group + strlen(group->message) + 1 + group->sample.capacity;
    self->bytes += group->bytes;
}

/* Makes room; the one that was met last stays. */
static size_t s_evict(errors_t *self)
{
    size_t evicted = 0;
    while (self->newest->next &&
           (HASH_COUNT(self->groups) > ERRORS_MAX || self->bytes > ERRORS_BYTES_MAX)) {
        s_remove(self, self->newest->prev); /* the list's last */
        evicted++;
    }
    return evicted;
}

errors_verdict_t errors_take(errors_t *self, const fault_t *fault, const char *publisher,
                             int64_t wall_ms, const error_group_t **group_p, size_t *evicted)
{
    char fingerprint[ID_UUID_SIZE];
    buf_t likeness = { 0 };
    error_group_t *group = NULL;
    bool is_new = false;
    likeness_write(fault->message, &likeness);
    const char *message = buf_text(&likeness);
    *evicted = 0;
    if (!s_is_echo(self, fault, message, publisher, wall_ms)) {
        s_name(fault, message, fingerprint);
        HASH_FIND_STR(self->groups, fingerprint, group);
        is_new = !group;
        if (is_new)
            group = s_make(self, fault, message, fingerprint, wall_ms);
        s_meet(self, group, fault, publisher, wall_ms);
        *evicted = s_evict(self);
    }
    buf_free(&likeness);
    *group_p = group;
    return !group ? ERRORS_ECHO : is_new ? ERRORS_NEW : ERRORS_MET;
}

void errors_tick(errors_t *self, int64_t wall_ms)
{
    while (self->newest && wall_ms - self->newest->prev->last_ms > self->keep_ms)
        s_remove(self, self->newest->prev);
}

bool errors_forget(errors_t *self, const char *fingerprint)
{
    error_group_t *group;
    HASH_FIND_STR(self->groups, fingerprint, group);
    if (group)
        s_remove(self, group);
    return group != NULL;
}

const error_group_t *errors_find(const errors_t *self, const char *fingerprint)
{
    error_group_t *group;
    HASH_FIND_STR(self->groups, fingerprint, group);
    return group;
}

/* ---- telling -------------------------------------------------------------------------------- */

void errors_write_group(const error_group_t *group, pack_t *out)
{
    pack_pair_text(out, "fingerprint", group->fingerprint);
    pack_pair_text(out, "code", group->code);
    pack_pair_text(out, "part", group->part);
    pack_pair_text(out, "method", group->method);
    pack_pair_text(out, "message", group->message);
    pack_pair_int(out, "count", (int64_t)group->count);
    pack_pair_time(out, "first_seen", group->first_ms);
    pack_pair_time(out, "last_seen", group->last_ms);
    pack_text(out, "instances");
    pack_array(out, group->instance_count);
    for (size_t i = 0; i < group->instance_count; i++)
        pack_text(out, group->instances[i]);
}

static bool s_is_younger(const error_group_t *a, const error_group_t *b)
{
    return a->first_ms != b->first_ms ? a->first_ms > b->first_ms
                                      : strcmp(a->fingerprint, b->fingerprint) < 0;
}

void errors_write_new(const errors_t *self, int64_t wall_ms, pack_t *out)
{
    const error_group_t *found[ERRORS_NEW_MAX];
    size_t count = 0;
    for (const error_group_t *at = self->newest; at; at = at->next) {
        size_t place = count;
        while (place > 0 && s_is_younger(at, found[place - 1]))
            place--;
        if (place == ERRORS_NEW_MAX || !errors_is_new(at, wall_ms))
            continue;
        count += count < ERRORS_NEW_MAX;
        memmove(&found[place + 1], &found[place], (count - place - 1) * sizeof found[0]);
        found[place] = at;
    }
    pack_array(out, count);
    for (size_t i = 0; i < count; i++) {
        pack_map(out, ERRORS_MEMBERS);
        errors_write_group(found[i], out);
    }
}
