/* SPDX-License-Identifier: MPL-2.0
 *
 * levels - from which severity on parts log, asked and changed over the bus
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/base/id.h"
#include "actors/base/log_parts.h"
#include "proto/levels.h"
#include "proto/pack.h"
#include "proto/value.h"

#define HOST_BYTES 64
#define LIMITS     ((value_limits_t){ .depth = 2, .nodes = 16 })

/* What is asked for; texts lie in the event's arena. */
typedef struct {
    const char *id, *part, *level;
    log_level_t severity;
    bool is_reset;
    uint32_t for_s;
} wish_t;

static bool s_read(wish_t *self, const void *bytes, size_t size, arena_t *arena)
{
    value_verdict_t verdict;
    const value_t *map = value_parse(arena, bytes, size, LIMITS, &verdict);
    const int64_t for_s = value_get_int(map, "for_s", 0);
    *self = (wish_t){ .id = value_dup_text(arena, map, "id"),
                      .part = value_dup_text(arena, map, "part"),
                      .level = value_dup_text(arena, map, "level"),
                      .for_s = (uint32_t)for_s };
    self->is_reset = self->level && strcmp(self->level, "default") == 0;
    return self->id && strlen(self->id) < ID_UUID_SIZE && for_s >= 0 && for_s <= LEVELS_FOR_MAX_S &&
           (!self->level || self->is_reset || log_level_parse(self->level, &self->severity));
}

static void s_change(const wish_t *wish)
{
    const size_t parts = wish->is_reset
                             ? log_reset_part_level(wish->part)
                             : log_set_part_level(wish->part, wish->severity, wish->for_s);
    if (parts)
        LOG(LOG_INFO, "log.level_changed", LOG_TEXT("of", wish->part ? wish->part : "all"),
            LOG_TEXT("level", wish->level), LOG_INT("for_s", wish->for_s));
}

/* Each client of the process hears of the wish; the first that does obeys. */
static void s_change_once(const wish_t *wish)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static char last[ID_UUID_SIZE];
    pthread_mutex_lock(&mutex);
    if (strcmp(last, wish->id) != 0) {
        snprintf(last, sizeof last, "%s", wish->id);
        s_change(wish);
    }
    pthread_mutex_unlock(&mutex);
}

static void s_pack_process(pack_t *pack)
{
    char host[HOST_BYTES] = "", text[HOST_BYTES + 16];
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    snprintf(text, sizeof text, "%s:%ld", host, (long)getpid());
    pack_pair_text(pack, "process", text);
}

bool levels_obey(const void *bytes, size_t size, const char *instance, buf_t *answer)
{
    arena_t arena = { 0 };
    log_part_t parts[LOG_PARTS_MAX];
    wish_t wish;
    pack_t pack;
    const bool good = s_read(&wish, bytes, size, &arena);
    if (good) {
        if (wish.level)
            s_change_once(&wish);
        const size_t count = log_list_parts(parts);
        pack_init(&pack, answer);
        pack_map(&pack, 4);
        pack_pair_text(&pack, "id", wish.id);
        s_pack_process(&pack);
        pack_pair_text(&pack, "instance", instance);
        pack_text(&pack, "parts");
        pack_array(&pack, count);
        for (size_t i = 0; i < count; i++) {
            pack_map(&pack, 4);
            pack_pair_text(&pack, "part", parts[i].part);
            pack_pair_text(&pack, "level", log_level_text(parts[i].level));
            pack_pair_bool(&pack, "own", parts[i].is_own);
            pack_pair_int(&pack, "left_s", parts[i].left_s);
        }
    }
    arena_free(&arena);
    return good;
}
