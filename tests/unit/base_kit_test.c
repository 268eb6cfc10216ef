/* SPDX-License-Identifier: MPL-2.0
 *
 * The small ones: buf, arena, clock, id, histogram, queue, signals.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/base/arena.h"
#include "actors/base/buf.h"
#include "actors/base/clock.h"
#include "actors/base/histogram.h"
#include "actors/base/id.h"
#include "actors/base/queue.h"
#include "actors/base/signals.h"
#include "tests/tap.h"

static void test_buf(void)
{
    buf_t buf = { 0 };
    size_t size;
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%d,", i);
    is_int(buf.size, 3890);
    ok(strncmp(buf_text(&buf), "0,1,2,", 6) == 0);
    uint8_t *bytes = buf_take(&buf, &size);
    is_int(size, 3890);
    ok(buf.bytes == NULL && buf.size == 0);
    mem_free(bytes);
}

static void test_arena(void)
{
    arena_t arena = { 0 };
    char *first = arena_text(&arena, "hello", 5);
    for (int i = 0; i < 10000; i++) {
        uint64_t *number = arena_alloc(&arena, sizeof *number);
        if (*number != 0 || (uintptr_t)number % sizeof *number)
            ok_named(false, "memory is zeroed and aligned");
        *number = UINT64_MAX;
    }
    arena_alloc(&arena, 1000000);
    is_text(first, "hello");
    is_text(arena_format(&arena, "%d-%s", 5, "x"), "5-x");
    arena_reset(&arena);
    uint8_t *again = arena_alloc(&arena, 100);
    is_int(again[99], 0);
    arena_free(&arena);
}

static void test_clock(void)
{
    char text[CLOCK_TEXT_SIZE];
    int64_t ms;
    is_text(clock_text(0, text), "1970-01-01T00:00:00.000Z");
    is_text(clock_text(1700000000123, text), "2023-11-14T22:13:20.123Z");
    is_text(clock_text(1700000000999, text), "2023-11-14T22:13:20.999Z");
    is_text(clock_text(1700000001000, text), "2023-11-14T22:13:21.000Z");
    is_text(clock_text(-1, text), "1969-12-31T23:59:59.999Z");
    is_text(clock_text(-1000, text), "1969-12-31T23:59:59.000Z");
    is_text(clock_text(INT64_MAX, text), "0000-00-00T00:00:00.807Z");
    is_text(clock_text(1700000000123, text), "2023-11-14T22:13:20.123Z");
    ok(clock_parse(text, 24, &ms) && ms == 1700000000123);
    ok(clock_parse("2023-11-15T00:13:20.1239+02:00", 30, &ms) && ms == 1700000000123);
    ok(!clock_parse("2023-13-01T00:00:00Z", 20, &ms));
    ok(!clock_parse("2023-11-01 00:00:00Z", 20, &ms));
    ok(!clock_parse("2023-11-01T00:00:00", 19, &ms));
    ok(clock_us() <= clock_us());
}

static void test_ids(void)
{
    char one[ID_UUID_SIZE], two[ID_UUID_SIZE];
    uint8_t fresh[100], next[100];
    for (int i = 0; i < 20; i++) { /* beyond what is fetched at once */
        id_fresh(fresh, sizeof fresh);
        id_fresh(next, sizeof next);
        ok(memcmp(fresh, next, sizeof fresh) != 0);
    }
    id_uuid7(one);
    id_uuid7(two);
    ok(strcmp(one, two) != 0);
    ok(one[14] == '7' && strchr("89ab", one[19]));
    is_int(strlen(one), 36);
    bool is_in_order = true; /* of many in one millisecond, as far as they tell the time */
    for (int i = 0; i < 1000; i++) {
        id_uuid7(two);
        is_in_order &= memcmp(one, two, 18) <= 0;
        memcpy(one, two, sizeof one);
    }
    ok(is_in_order);
    ok(id_hash("a", 1) == 0xaf63dc4c8601ec8cu); /* from the specification's test vectors */
    ok(id_is_name("a.b_c-1", 7, 10) && !id_is_name("a b", 3, 10) && !id_is_name("abc", 3, 2));
}

static void test_histogram(void)
{
    static histogram_t histogram;
    unsigned wrong = 0;
    for (uint64_t value = 0; value < 100000; value++) {
        histogram_record(&histogram, value);
        uint32_t bucket = histogram_bucket(value);
        wrong +=
            value >= histogram_upper(bucket) || (bucket && value < histogram_upper(bucket - 1));
    }
    is_int(wrong, 0);
    is_int(histogram_count(&histogram), 100000);
    static const double quantiles[] = { 0.5, 0.95, 0.99 };
    for (size_t i = 0; i < 3; i++) {
        double expected = 100000 * quantiles[i];
        double got = (double)histogram_quantile(&histogram, quantiles[i]);
        ok(got > expected * 0.968 && got < expected * 1.032);
    }
    histogram_record(&histogram, UINT64_MAX); /* the last bucket takes what is beyond */
    is_int(histogram_count(&histogram), 100001);
}

typedef struct {
    queue_item_t item;
    int number;
} parcel_t;

enum { PARCELS = 20000 };
static queue_t s_queue;
static long s_sum;
static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;

static void *s_consume(void *arg)
{
    queue_item_t *item;
    (void)arg;
    while ((item = queue_pop(&s_queue))) {
        pthread_mutex_lock(&s_mutex);
        s_sum += CONTAINER_OF(item, parcel_t, item)->number;
        pthread_mutex_unlock(&s_mutex);
    }
    return NULL;
}

static void test_queue_between_threads(void)
{
    static parcel_t parcels[PARCELS];
    pthread_t threads[3];
    long expected = 0;
    queue_init(&s_queue, PARCELS, false);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, s_consume, NULL);
    for (int i = 0; i < PARCELS; i++) {
        parcels[i].number = i;
        expected += i;
        if (!queue_push(&s_queue, &parcels[i].item))
            ok_named(false, "there is room");
    }
    queue_close(&s_queue);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    is_int(s_sum, expected);
    ok(!queue_push(&s_queue, &parcels[0].item));
    queue_free(&s_queue);
}

static bool s_is_readable(int fd)
{
    struct pollfd item = { .fd = fd, .events = POLLIN };
    return poll(&item, 1, 0) == 1;
}

static void test_queue_with_a_descriptor(void)
{
    parcel_t parcels[3] = { { .number = 1 }, { .number = 2 }, { .number = 3 } };
    queue_t queue;
    queue_init(&queue, 2, true);
    ok(!s_is_readable(queue_fd(&queue)));
    ok(queue_push(&queue, &parcels[0].item));
    ok(queue_push(&queue, &parcels[1].item));
    ok(!queue_push(&queue, &parcels[2].item)); /* full */
    is_int(queue_count(&queue), 2);
    ok(s_is_readable(queue_fd(&queue)));
    queue_item_t *item = queue_take_all(&queue);
    ok(item == &parcels[0].item && item->next == &parcels[1].item && !item->next->next);
    ok(!s_is_readable(queue_fd(&queue)));
    is_int(queue_count(&queue), 0);
    queue_free(&queue);
}

/* A file that reaches its limit is a write that fails; in a process of its own, for the limit's
 * sake.
 */
static void test_a_file_at_its_limit(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit limit = { .rlim_cur = 4, .rlim_max = 4 };
        signals_block();
        FILE *file = tmpfile();
        bool failed = file && setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                      write(fileno(file), "1234", 4) == 4 && write(fileno(file), "5", 1) < 0 &&
                      errno == EFBIG;
        _exit(failed ? 0 : 1);
    }
    ok(child > 0 && waitpid(child, &status, 0) == child);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TESTS({ "buf", test_buf }, { "arena", test_arena }, { "clock", test_clock }, { "ids", test_ids },
      { "histogram", test_histogram }, { "queue", test_queue_between_threads },
      { "queue descriptor", test_queue_with_a_descriptor },
      { "a file at its limit", test_a_file_at_its_limit })
