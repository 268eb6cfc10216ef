/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/base/slots.h"
#include "tests/tap.h"

typedef struct {
    int number;
} item_t;

static void test_take_and_find(void)
{
    slots_t slots;
    uint64_t first, second;
    slots_init(&slots, sizeof(item_t), 10);
    item_t *item = slots_take(&slots, &first);
    item->number = 7;
    ok(first != 0);
    ok(slots_take(&slots, &second) != item);
    ok(second != first);
    ok(slots_find(&slots, first) == item);
    is_int(((item_t *)slots_find(&slots, first))->number, 7);
    ok(slots_find(&slots, 0) == NULL);
    ok(slots_find(&slots, UINT64_MAX) == NULL);
    slots_free(&slots);
}

static void test_stale_id_finds_nothing(void)
{
    slots_t slots;
    uint64_t old, fresh;
    slots_init(&slots, sizeof(item_t), 10);
    void *place = slots_take(&slots, &old);
    slots_release(&slots, old);
    ok(slots_find(&slots, old) == NULL);
    ok(slots_take(&slots, &fresh) == place);
    ok(slots_find(&slots, old) == NULL);
    ok(slots_find(&slots, fresh) == place);
    slots_free(&slots);
}

static void test_limit(void)
{
    enum { LIMIT = 1000 };
    slots_t slots;
    uint64_t id, last = 0;
    slots_init(&slots, sizeof(item_t), LIMIT);
    for (int i = 0; i < LIMIT; i++) {
        item_t *item = slots_take(&slots, &id);
        item->number = i;
        last = id;
    }
    ok(slots_take(&slots, &id) == NULL);
    slots_release(&slots, last);
    ok(slots_take(&slots, &id) != NULL);
    slots_free(&slots);
}

static void test_walk(void)
{
    slots_t slots;
    uint64_t ids[600], id;
    uint32_t index = 0;
    int seen = 0, sum = 0;
    slots_init(&slots, sizeof(item_t), 600);
    for (int i = 0; i < 600; i++)
        ((item_t *)slots_take(&slots, &ids[i]))->number = i;
    for (int i = 0; i < 600; i += 2)
        slots_release(&slots, ids[i]);
    for (item_t *item; (item = slots_next(&slots, &index, &id)); seen++) {
        sum += item->number;
        slots_release(&slots, id);
    }
    is_int(seen, 300);
    is_int(sum, 300 * 300);
    is_int(slots.used, 0);
    slots_free(&slots);
}

TESTS({ "take and find", test_take_and_find },
      { "a stale id finds nothing", test_stale_id_finds_nothing },
      { "no more than the limit", test_limit }, { "walk and release", test_walk })
