/* SPDX-License-Identifier: MPL-2.0
 *
 * Broker and clients in one process, over inproc: each test is a story of a few requests.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "proto/snapshot.h"
#include "tests/kit/holder.h"

static void test_echo(void)
{
    bus_t bus;
    holder_t worker;
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "echo", "echo-1", 10, true);
    worker.echo = true;
    for (int i = 0; i < 100; i++) {
        buf_t body = { 0 };
        pack_t pack;
        answer_t answer;
        pack_init(&pack, &body);
        pack_map(&pack, 1);
        pack_pair_int(&pack, "n", i);
        size_t size = body.size;
        bool good = client_call(
            bus.client, &(client_request_t){ .service = "echo", .method = "echo", .body = &body },
            &answer);
        if (!good || answer_size(&answer) != size)
            ok(good && answer_size(&answer) == size);
        answer_close(&answer);
    }
    ok(bus_balance(&bus));
    is_int(bus_counter(&bus, BROKER_ANSWERED), 100);
    holder_stop(&worker);
    bus_close(&bus);
}

static void test_errors_at_once(void)
{
    bus_t bus;
    holder_t worker;
    bus_open(&bus, NULL);
    is_int(bus_call(bus.client, (client_request_t){ .service = "nobody" }), ERROR_NO_SERVICE);
    holder_start(&worker, &bus, "echo", "echo-1", 1, true);
    is_int(bus_call(bus.client, (client_request_t){ .service = "echo", .method = "no" }),
           ERROR_NO_METHOD);
    holder_stop(&worker);
    while (bus_counter(&bus, BROKER_INSTANCES) > 0)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    is_int(bus_call(bus.client, (client_request_t){ .service = "echo", .method = "echo" }),
           ERROR_NO_INSTANCE);
    is_int(bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "NO" }),
           ERROR_NO_METHOD);
    ok(bus_balance(&bus));
    bus_close(&bus);
}

static void test_credit_and_deadline(void)
{
    bus_t bus;
    holder_t worker;
    outcome_t first, second, third;
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "slow", "slow-1", 1, true);
    bus_send(bus.client, &first, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&worker.came));
    bus_send(bus.client, &second,
             (client_request_t){ .service = "slow", .method = "once", .deadline_ms = 50 });
    bus_send(bus.client, &third, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&second.done));
    is_int(second.code, ERROR_DEADLINE);
    is_int(worker.count, 1);
    holder_answer(&worker, "one");
    ok(bus_wait(&first.done));
    is_text(first.text, "one");
    ok(bus_wait(&worker.came));
    holder_answer(&worker, "three");
    ok(bus_wait(&third.done));
    is_text(third.text, "three");
    is_int(bus_counter(&bus, BROKER_DEADLINE), 1);
    ok(bus_balance(&bus));
    holder_stop(&worker);
    bus_close(&bus);
}

static void test_late_answer_is_counted(void)
{
    bus_t bus;
    holder_t worker;
    outcome_t outcome;
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "slow", "slow-1", 1, true);
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "slow", .method = "once", .deadline_ms = 40 });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_DEADLINE);
    ok(bus_wait(&worker.cancelled));
    holder_answer(&worker, "late");
    bus_send(bus.client, &outcome, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&worker.came) && bus_wait(&worker.came));
    is_int(bus_counter(&bus, BROKER_LATE_ANSWERS), 1);
    holder_answer(&worker, "in time");
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "in time");
    holder_stop(&worker);
    bus_close(&bus);
}

static void test_lost_worker(void)
{
    bus_t bus;
    holder_t one, two;
    outcome_t safe, unsafe;
    bus_open(&bus, NULL);
    holder_start(&one, &bus, "work", "work-1", 10, true);
    bus_send(bus.client, &safe,
             (client_request_t){ .service = "work", .method = "echo", .flags = FRAME_IDEMPOTENT });
    bus_send(bus.client, &unsafe,
             (client_request_t){ .service = "work", .method = "once", .flags = FRAME_IDEMPOTENT });
    ok(bus_wait(&one.came) && bus_wait(&one.came));
    holder_start(&two, &bus, "work", "work-2", 10, true);
    holder_stop(&one);
    ok(bus_wait(&unsafe.done));
    is_int(unsafe.code,
           ERROR_WORKER_LOST); /* the method is not idempotent, whatever the flag says */
    ok(bus_wait(&two.came));
    holder_answer(&two, "again");
    ok(bus_wait(&safe.done));
    is_text(safe.text, "again");
    is_int(bus_counter(&bus, BROKER_RESENT), 1);

    /* a request that kills its instance is not given to a third one */
    bus_send(bus.client, &safe,
             (client_request_t){ .service = "work", .method = "echo", .flags = FRAME_IDEMPOTENT });
    ok(bus_wait(&two.came));
    holder_start(&one, &bus, "work", "work-1", 10, true);
    holder_stop(&two);
    ok(bus_wait(&one.came));
    holder_start(&two, &bus, "work", "work-2", 10, true);
    holder_stop(&one);
    ok(bus_wait(&safe.done));
    is_int(safe.code, ERROR_WORKER_LOST);
    ok(bus_balance(&bus));
    holder_stop(&two);
    bus_close(&bus);
}

static void test_route_key(void)
{
    enum { KEYS = 40 };
    bus_t bus;
    holder_t workers[3];
    int owner[KEYS];
    static const char *const names[] = { "keyed-1", "keyed-2", "keyed-3" };
    bus_open(&bus, NULL);
    for (int i = 0; i < 3; i++)
        holder_start(&workers[i], &bus, "keyed", names[i], 1000, true);
    int used = 0;
    for (int round = 0; round < 2; round++)
        for (uint64_t key = 0; key < KEYS; key++) {
            outcome_t outcome;
            bus_send(bus.client, &outcome,
                     (client_request_t){ .service = "keyed",
                                         .method = "once",
                                         .flags = FRAME_ROUTE_KEY,
                                         .route_key = id_hash(&key, sizeof key) });
            int at = -1;
            while (at < 0)
                for (int i = 0; i < 3; i++)
                    if (sem_trywait(&workers[i].came) == 0)
                        at = i;
            if (round == 0)
                owner[key] = at;
            else if (owner[key] != at)
                ok_named(false, "the same key goes to the same instance");
            used |= 1 << at;
            holder_answer(&workers[at], "done");
            bus_wait(&outcome.done);
        }
    is_int(used, 7);
    for (int i = 0; i < 3; i++)
        holder_stop(&workers[i]);
    bus_close(&bus);
}

static void test_broadcast(void)
{
    bus_t bus;
    holder_t workers[3];
    outcome_t outcome;
    static const char *const names[] = { "all-1", "all-2", "all-3" };
    bus_open(&bus, NULL);
    for (int i = 0; i < 3; i++) {
        holder_start(&workers[i], &bus, "all", names[i], 10, true);
        workers[i].echo = true;
    }
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "all", .method = "echo", .flags = FRAME_BROADCAST });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_NONE);
    is_int(outcome.parts, 3);
    workers[1].echo = false; /* one does not answer: the deadline ends its part */
    bus_send(
        bus.client, &outcome,
        (client_request_t){
            .service = "all", .method = "echo", .flags = FRAME_BROADCAST, .deadline_ms = 100 });
    ok(bus_wait(&outcome.done));
    is_int(outcome.parts, 2);
    ok(bus_balance(&bus));
    for (int i = 0; i < 3; i++)
        holder_stop(&workers[i]);
    bus_close(&bus);
}

static void s_room_for_three(bus_t *bus)
{
    bus->settings.pending = 3;
}

/* The broadcast itself takes one place, so only two of its three parts find one. */
static void test_broadcast_beyond_the_limit(void)
{
    static const char *const names[] = { "all-1", "all-2", "all-3" };
    bus_t bus;
    holder_t workers[3];
    answer_t answer;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    bus_open(&bus, s_room_for_three);
    for (int i = 0; i < 3; i++) {
        holder_start(&workers[i], &bus, "all", names[i], 10, true);
        workers[i].echo = true;
    }
    ok(client_call(
        bus.client,
        &(client_request_t){ .service = "all", .method = "echo", .flags = FRAME_BROADCAST },
        &answer));
    const value_t *counts =
        value_parse(&arena, answer_bytes(&answer), answer_size(&answer), VALUE_LIMITS, &verdict);
    is_int(value_get_int(counts, "instances", 0), 3);
    is_int(value_get_int(counts, "failed", 0), 1);
    answer_close(&answer);
    arena_free(&arena);
    for (int i = 0; i < 3; i++)
        holder_stop(&workers[i]);
    bus_close(&bus);
}

static void s_short_queue(bus_t *bus)
{
    bus->settings.queue_length = 2;
}

static void test_queue_full_and_priority(void)
{
    bus_t bus;
    holder_t worker;
    outcome_t outcomes[4];
    bus_open(&bus, s_short_queue);
    holder_start(&worker, &bus, "busy", "busy-1", 1, true);
    bus_send(bus.client, &outcomes[0], (client_request_t){ .service = "busy", .method = "once" });
    ok(bus_wait(&worker.came));
    for (uint8_t i = 1; i < 4; i++) /* the later one matters more */
        bus_send(bus.client, &outcomes[i],
                 (client_request_t){
                     .service = "busy", .method = "once", .priority = (uint8_t)(3 - i) });
    ok(bus_wait(&outcomes[3].done));
    is_int(outcomes[3].code, ERROR_QUEUE_FULL);
    holder_answer(&worker, "zero");
    ok(bus_wait(&worker.came));
    holder_answer(&worker, "first after");
    ok(bus_wait(&outcomes[2].done));
    is_text(outcomes[2].text, "first after");
    ok(bus_wait(&worker.came));
    holder_answer(&worker, "last");
    ok(bus_wait(&outcomes[1].done));
    is_text(outcomes[1].text, "last");
    holder_stop(&worker);
    bus_close(&bus);
}

static void test_drain(void)
{
    bus_t bus;
    holder_t one, two;
    outcome_t before, after;
    bus_open(&bus, NULL);
    holder_start(&one, &bus, "leave", "leave-1", 10, true);
    bus_send(bus.client, &before, (client_request_t){ .service = "leave", .method = "once" });
    ok(bus_wait(&one.came));
    holder_start(&two, &bus, "leave", "leave-2", 10, true);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "instance", "leave-1");
    is_int(bus_call(bus.client,
                    (client_request_t){ .service = "$BROKER", .method = "DRAIN", .body = &body }),
           ERROR_NONE);
    ok(bus_wait(&one.drained));
    for (int i = 0; i < 5; i++) {
        bus_send(bus.client, &after, (client_request_t){ .service = "leave", .method = "once" });
        ok(bus_wait(&two.came));
    }
    holder_answer(&one, "finished");
    ok(bus_wait(&before.done));
    is_text(before.text, "finished");
    ok(client_wait_drained(one.client, 0)); /* the operator's word was the broker's last */
    ok(!client_wait_drained(two.client, 0));
    client_drain(two.client);
    ok(client_wait_drained(two.client, BUS_PATIENCE_S * 1000));
    holder_stop(&one);
    holder_stop(&two);
    bus_close(&bus);
}

static void test_registration_refused(void)
{
    bus_t bus;
    holder_t worker, twin;
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "$SRV", "bad-1", 1, false);
    is_int(worker.refusal.code, ERROR_FORBIDDEN);
    holder_stop(&worker);
    holder_start(&worker, &bus, "twins", "twin", 1, false);
    is_int(worker.refusal.code, ERROR_NONE);
    holder_start(&twin, &bus, "twins", "twin", 1, false);
    is_int(twin.refusal.code, ERROR_CONFLICT);
    holder_stop(&worker);
    /* once the first is gone the second is let in by itself */
    while (twin.refusal.code != ERROR_NONE)
        if (!bus_wait(&twin.registered))
            break;
    is_int(twin.refusal.code, ERROR_NONE);
    holder_stop(&twin);
    bus_close(&bus);
}
static void test_principal_needs_the_trusted_door(void)
{
    bus_t bus;
    holder_t worker;
    outcome_t outcome;
    buf_t principal = { 0 };
    buf_add_text(&principal, "\x80");
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "who", "who-1", 10, true);
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "who", .method = "once", .principal = &principal });
    ok(bus_wait(&worker.came));
    is_int(zmq_msg_size(&worker.held[0]->principal), 0);
    is_int(bus_counter(&bus, BROKER_PRINCIPALS_REMOVED), 1);
    client_t *edge = client_new(
        bus.context,
        &(client_config_t){ .settings = &bus.trusted, .name = "edge-1", .part = "test" });
    bus_send(edge, &outcome,
             (client_request_t){ .service = "who", .method = "once", .principal = &principal });
    ok(bus_wait(&worker.came));
    is_int(zmq_msg_size(&worker.held[1]->principal), 1);
    client_destroy(&edge);
    buf_free(&principal);
    holder_stop(&worker);
    bus_close(&bus);
}

TESTS({ "echo", test_echo }, { "errors at once", test_errors_at_once },
      { "credit and deadline", test_credit_and_deadline },
      { "late answer", test_late_answer_is_counted }, { "lost worker", test_lost_worker },
      { "route key", test_route_key }, { "broadcast", test_broadcast },
      { "broadcast beyond the limit", test_broadcast_beyond_the_limit },
      { "queue and priority", test_queue_full_and_priority }, { "drain", test_drain },
      { "refused", test_registration_refused },
      { "principal", test_principal_needs_the_trusted_door })
