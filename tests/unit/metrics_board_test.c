/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/metrics/board.h"
#include "tests/kit/snapshots.h"
#include "tests/tap.h"

#define KEEP_MS 60000

static const stats_row_t s_rows[] = { { "things_total", STATS_COUNTER, "Things" }, { 0 } };

static view_t *s_view(uint64_t boot, uint64_t sequence, int64_t value, bool is_last)
{
    stats_t stats;
    stats_init(&stats, s_rows);
    stats_set(&stats, 0, value);
    view_t *view = snapshots_of_stats(&stats, (snapshot_t){ .part = "edge",
                                                            .instance = "edge-1",
                                                            .boot = boot,
                                                            .sequence = sequence,
                                                            .is_last = is_last });
    stats_free(&stats);
    return view;
}

/* What comes over the bus: late, twice, not at all, and from another life. */
static void test_order(void)
{
    static const struct {
        const char *what;
        uint64_t boot, sequence;
        int64_t value;
        board_verdict_t verdict;
        uint64_t missed;
        int64_t told;
    } steps[] = {
        { "the first", 100, 3, 30, BOARD_TAKEN, 0, 30 },
        { "the next", 100, 4, 40, BOARD_TAKEN, 0, 40 },
        { "the same again", 100, 4, 41, BOARD_OLD, 0, 40 },
        { "an older one", 100, 3, 30, BOARD_OLD, 0, 40 },
        { "after two lost ones", 100, 7, 70, BOARD_GAP, 2, 70 },
        { "of a later life", 200, 1, 5, BOARD_CRASH, 0, 5 },
        { "of the life before", 100, 9, 90, BOARD_OLD, 0, 5 },
        { "and on", 200, 2, 6, BOARD_TAKEN, 0, 6 },
    };
    board_t board;
    uint64_t missed;
    board_init(&board, KEEP_MS);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        view_t *view = s_view(steps[i].boot, steps[i].sequence, steps[i].value, false);
        board_verdict_t verdict = board_take(&board, &view, 1000, 1000, &missed);
        ok_named(verdict == steps[i].verdict && view == NULL, steps[i].what);
        is_int(missed, steps[i].missed);
        is_int(board.members->now->families[0].series[0].value, steps[i].told);
    }
    ok(board.members->before->sequence == 1); /* never of another life */
    board_free(&board);
}

static void test_silence(void)
{
    board_t board;
    uint64_t missed, now_ms = 1000;
    size_t count;
    view_t *view = s_view(100, 1, 1, false);
    board_init(&board, KEEP_MS);
    is_int(board_take(&board, &view, 0, now_ms, &missed), BOARD_TAKEN);
    is_int(board_tick(&board, now_ms + 15000), 0);
    ok(board.members->is_up);
    is_int(board_tick(&board, now_ms + 15001), 1);
    is_int(board_tick(&board, now_ms + 15002), 0); /* is told once */
    ok(!board.members->is_up);
    exposition_source_t *sources = board_sources(&board, &count);
    is_int(count, 1);
    ok(!sources[0].is_up && !sources[0].has_left);
    board_give_back(sources, count);

    view = s_view(100, 9, 2, false); /* it was only slow */
    is_int(board_take(&board, &view, 0, now_ms + 20000, &missed), BOARD_GAP);
    ok(board.members->is_up);
    is_int(board_tick(&board, now_ms + 20000 + KEEP_MS), 1);
    ok(board.members != NULL);
    is_int(board_tick(&board, now_ms + 20001 + KEEP_MS), 0);
    ok(board.members == NULL);
    board_free(&board);
}

/* When an instance started is told by a clock that somebody may set back before it starts anew. */
static void test_clock_set_back(void)
{
    board_t board;
    uint64_t missed;
    view_t *view = s_view(200, 5, 50, false), *early = s_view(100, 1, 1, false),
           *late = s_view(100, 2, 2, false), *next = s_view(100, 3, 3, false);
    board_init(&board, KEEP_MS);
    is_int(board_take(&board, &view, 0, 1000, &missed), BOARD_TAKEN);
    is_int(board_take(&board, &early, 0, 6000, &missed), BOARD_OLD); /* it may be late */
    is_int(board_tick(&board, 16001), 1);
    is_int(board_take(&board, &late, 0, 17000, &missed), BOARD_CRASH);
    ok(board.members->is_up);
    is_int(board_take(&board, &next, 0, 22000, &missed), BOARD_TAKEN);
    is_int(board.members->now->families[0].series[0].value, 3);
    board_free(&board);
}

/* Who says good-bye is not down, and its counters are told as long. */
static void test_leaving(void)
{
    board_t board;
    uint64_t missed;
    size_t count;
    view_t *view = s_view(100, 1, 1, false), *last = s_view(100, 2, 2, true),
           *again = s_view(100, 3, 2, true);
    board_init(&board, KEEP_MS);
    is_int(board_take(&board, &view, 0, 1000, &missed), BOARD_TAKEN);
    is_int(board_take(&board, &last, 0, 2000, &missed), BOARD_TAKEN);
    is_int(board_take(&board, &again, 0, 2000, &missed), BOARD_TAKEN);
    is_int(board_tick(&board, 30000), 0);
    exposition_source_t *sources = board_sources(&board, &count);
    ok(count == 1 && sources[0].has_left && !sources[0].is_up);
    /* whoever holds the views reads on while the board goes on */
    board_free(&board);
    is_int(sources[0].view->families[0].series[0].value, 2);
    board_give_back(sources, count);
}

static void test_room(void)
{
    board_t board;
    uint64_t missed;
    board_init(&board, KEEP_MS);
    for (int i = 0; i <= BOARD_INSTANCES_MAX; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"part\":\"x\",\"instance\":\"x-%d\",\"boot\":1,\"sequence\":1}", i);
        view_t *view = snapshots_of_json(text);
        board_verdict_t verdict = board_take(&board, &view, 0, 0, &missed);
        if (verdict != BOARD_TAKEN) {
            is_int(i, BOARD_INSTANCES_MAX);
            is_int(verdict, BOARD_FULL);
        }
    }
    is_int(HASH_COUNT(board.members), BOARD_INSTANCES_MAX);
    board_free(&board);
}

/* What is too large is not taken; who was there stays as it was, and who was not does not come. */
static void test_bytes(void)
{
    board_t board;
    uint64_t missed;
    view_t *view = s_view(100, 1, 1, false), *next = s_view(100, 2, 2, false);
    board_init(&board, KEEP_MS);
    view->bytes = next->bytes = BOARD_BYTES_MAX / 2 + 1;
    is_int(board_take(&board, &view, 0, 1000, &missed), BOARD_TAKEN);
    is_int(board_take(&board, &next, 0, 1000, &missed), BOARD_FULL);
    ok(!next && board.members->now->sequence == 1);
    view = s_view(100, 3, 3, false);
    is_int(board_take(&board, &view, 0, 1000, &missed), BOARD_GAP);
    board_free(&board);
    is_int(board.bytes, 0);
    board_init(&board, KEEP_MS);
    view = s_view(100, 1, 1, false);
    view->bytes = BOARD_BYTES_MAX + 1;
    is_int(board_take(&board, &view, 0, 1000, &missed), BOARD_FULL);
    ok(!board.members);
    board_free(&board);
}

TESTS({ "order", test_order }, { "silence", test_silence }, { "leaving", test_leaving },
      { "clock set back", test_clock_set_back }, { "room", test_room }, { "bytes", test_bytes })
