/* SPDX-License-Identifier: MPL-2.0
 *
 * board - the last word of every instance
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/metrics/board.h"
#include "proto/method.h"

#define KEY_SIZE (METHOD_NAME_BYTES + ID_INSTANCE_SIZE + 2)

void board_init(board_t *self, uint64_t keep_ms)
{
    *self = (board_t){ .keep_ms = keep_ms };
}

/* NULL is fine. */
static void s_drop(board_t *self, view_t **view_p)
{
    self->bytes -= *view_p ? (*view_p)->bytes : 0;
    view_drop(view_p);
}

static void s_remove(board_t *self, member_t *member)
{
    HASH_DELETE(hh, self->members, member);
    s_drop(self, &member->now);
    s_drop(self, &member->before);
    mem_free(member);
}

void board_free(board_t *self)
{
    member_t *member, *next;
    HASH_ITER(hh, self->members, member, next)
    {
        s_remove(self, member);
    }
}

/* The instance a view is of; made when it is new and there is room. */
static member_t *s_member(board_t *self, const view_t *view)
{
    member_t *member;
    char key[KEY_SIZE];
    size_t size = (size_t)snprintf(key, sizeof key, "%s/%s", view->part, view->instance);
    HASH_FIND(hh, self->members, key, size, member);
    if (member || HASH_COUNT(self->members) >= BOARD_INSTANCES_MAX)
        return member;
    member = mem_zeroed(sizeof *member + size + 1);
    memcpy(member->key, key, size);
    HASH_ADD(hh, self->members, key, (unsigned)size, member);
    return member;
}

static bool s_is_older(const view_t *view, const view_t *known)
{
    return view->boot < known->boot ||
           (view->boot == known->boot && view->sequence <= known->sequence);
}

/* What the new view is to the one that is known. A life that began earlier is over, unless the
 * later one is silent: then somebody has set the clock back. */
static board_verdict_t s_judge(const view_t *view, const member_t *member, uint64_t *missed)
{
    const view_t *known = member->now;
    *missed = 0;
    if (!known)
        return BOARD_TAKEN;
    if (s_is_older(view, known) && (view->boot == known->boot || member->is_up))
        return BOARD_OLD;
    if (view->boot != known->boot)
        return known->is_last ? BOARD_RESET : BOARD_CRASH;
    *missed = view->sequence - known->sequence - 1;
    return *missed ? BOARD_GAP : BOARD_TAKEN;
}

static bool s_is_taken(board_verdict_t verdict)
{
    return verdict != BOARD_OLD && verdict != BOARD_FULL;
}

/* Takes over the view as the member's last; the one before stays, unless it is of another life. */
static void s_put(board_t *self, member_t *member, view_t *view, bool is_another_life)
{
    s_drop(self, &member->before);
    if (is_another_life) {
        s_drop(self, &member->now);
        member->restarts++;
    }
    member->before = member->now;
    member->before_wall_ms = member->now_wall_ms;
    member->now = view;
    self->bytes += view->bytes;
}

board_verdict_t board_take(board_t *self, view_t **view_p, int64_t wall_ms, uint64_t now_ms,
                           uint64_t *missed)
{
    member_t *member = s_member(self, *view_p);
    board_verdict_t verdict = member ? s_judge(*view_p, member, missed) : BOARD_FULL;
    const size_t freed = member && member->before ? member->before->bytes : 0;
    if (s_is_taken(verdict) && (*view_p)->bytes > BOARD_BYTES_MAX - (self->bytes - freed))
        verdict = BOARD_FULL;
    if (!s_is_taken(verdict)) {
        view_drop(view_p);
        if (member && !member->now)
            s_remove(self, member);
        return verdict;
    }
    s_put(self, member, *view_p, verdict == BOARD_RESET || verdict == BOARD_CRASH);
    member->now_wall_ms = wall_ms;
    member->heard_ms = now_ms;
    member->is_up = !member->now->is_last;
    *view_p = NULL;
    return verdict;
}

size_t board_tick(board_t *self, uint64_t now_ms)
{
    member_t *member, *next;
    size_t fell_silent = 0;
    HASH_ITER(hh, self->members, member, next)
    {
        uint64_t silent_ms = now_ms > member->heard_ms ? now_ms - member->heard_ms : 0;
        if (silent_ms > self->keep_ms) {
            s_remove(self, member);
        } else if (member->is_up && silent_ms > (uint64_t)member->now->interval_ms * BOARD_MISSED) {
            member->is_up = false;
            fell_silent++;
        }
    }
    return fell_silent;
}

exposition_source_t *board_sources(const board_t *self, size_t *count)
{
    const member_t *member;
    exposition_source_t *sources = mem_array(HASH_COUNT(self->members) + 1, sizeof *sources);
    *count = 0;
    for (member = self->members; member; member = member->hh.next)
        sources[(*count)++] = (exposition_source_t){ .view = view_hold(member->now),
                                                     .is_up = member->is_up,
                                                     .has_left = member->now->is_last };
    return sources;
}

void board_give_back(exposition_source_t *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        view_t *view = (view_t *)(uintptr_t)sources[i].view;
        view_drop(&view);
    }
    mem_free(sources);
}
