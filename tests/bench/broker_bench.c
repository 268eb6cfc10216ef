/* SPDX-License-Identifier: MPL-2.0
 *
 * broker_bench - requests a second through the broker, and its CPU time for each
 *
 * One client, one broker and one worker process; the client keeps WINDOW requests under way. The
 * control cases forward the same frames through a bare ROUTER that knows nothing: `raw` a 24-byte
 * header and the body, `raw-mdp2` the frames of MDP/0.2 (whose worker is given more than one
 * request at a time here, as broker.mdp_credit allows). BENCH_REQUESTS and BENCH_WINDOW change the
 * size of a run.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <zmq.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "broker/broker.h"
#include "proto/frame.h"
#include "proto/mdp.h"
#include "proto/pack.h"
#include "tests/bench/bench.h"

#define BODY_BYTES    64
#define RAW_HEADER    24
#define READS_A_ROUND 256
#define WORKER_CREDIT 1000
#define QUEUE         100000

typedef enum { RAW, RAW_MDP2, NATIVE, MDP2 } dialect_t;

typedef struct {
    const char *name;
    const char *endpoint; /* of requests */
    dialect_t dialect;
    uint64_t requests, window;
} case_t;

/* ---- frames --------------------------------------------------------------------------------- */

static void s_option(void *socket, int option, int value)
{
    zmq_setsockopt(socket, option, &value, sizeof value);
}

static void *s_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    s_option(socket, ZMQ_SNDHWM, QUEUE);
    s_option(socket, ZMQ_RCVHWM, QUEUE);
    s_option(socket, ZMQ_LINGER, 0);
    return socket;
}

static bool s_receive(void *socket, zmq_msg_t *frames, size_t *count, int flags)
{
    *count = 0;
    do {
        zmq_msg_init(&frames[*count]);
        if (zmq_msg_recv(&frames[*count], socket, flags) < 0)
            return false;
    } while (zmq_msg_more(&frames[(*count)++]));
    return true;
}

static void s_bytes(void *socket, const void *bytes, size_t size, bool more)
{
    zmq_send(socket, bytes, size, more ? ZMQ_SNDMORE : 0);
}

static void s_native(void *socket, const frame_t *frame, zmq_msg_t *body)
{
    uint8_t header[FRAME_BYTES_MAX];
    frame_encode(frame, header);
    s_bytes(socket, header, frame_size(frame), body != NULL);
    if (body)
        zmq_msg_send(body, socket, 0);
}

/* ---- the worker ----------------------------------------------------------------------------- */

static void s_worker_ready(void *socket, dialect_t dialect)
{
    uint8_t ready = 0, byte = mdp_byte(MDP_WORKER_2, MDP_READY);
    frame_t frame = { .command = FRAME_READY };
    buf_t bytes = { 0 };
    pack_t pack;
    zmq_msg_t body;
    switch (dialect) {
    case RAW:
    case RAW_MDP2:
        s_bytes(socket, &ready, 1, false);
        return;
    case MDP2:
        s_bytes(socket, mdp_header(MDP_WORKER_2), MDP_HEADER_BYTES, true);
        s_bytes(socket, &byte, 1, true);
        s_bytes(socket, "echo", 4, false);
        return;
    case NATIVE:
        break;
    }
    pack_init(&pack, &bytes);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "instance", "echo-1");
    pack_pair_int(&pack, "credit", WORKER_CREDIT);
    zmq_msg_init_size(&body, bytes.size);
    memcpy(zmq_msg_data(&body), bytes.bytes, bytes.size);
    buf_free(&bytes);
    frame_set_service(&frame, "echo");
    s_native(socket, &frame, &body);
}

static void s_worker_answer(void *socket, dialect_t dialect, zmq_msg_t *frames, size_t count)
{
    frame_t frame;
    uint8_t final = mdp_byte(MDP_WORKER_2, MDP_FINAL);
    switch (dialect) {
    case RAW: /* the header goes back as it is */
    case RAW_MDP2:
        for (size_t i = 0; i < count; i++)
            zmq_msg_send(&frames[i], socket, i + 1 < count ? ZMQ_SNDMORE : 0);
        break;
    case NATIVE:
        if (frame_decode(&frame, zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0])) &&
            frame.command == FRAME_REQUEST)
            s_native(socket, &(frame_t){ .command = FRAME_FINAL, .id = frame.id }, &frames[1]);
        break;
    case MDP2: /* header, command, client, "", body */
        if (count < 5)
            break;
        memcpy(zmq_msg_data(&frames[1]), &final, 1);
        for (size_t i = 0; i < count; i++)
            zmq_msg_send(&frames[i], socket, i + 1 < count ? ZMQ_SNDMORE : 0);
    }
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
}

static void s_run_worker(void *arg)
{
    const case_t *self = arg;
    void *socket = s_socket(zmq_ctx_new(), ZMQ_DEALER);
    zmq_msg_t frames[8];
    size_t count;
    zmq_connect(socket, self->endpoint);
    s_worker_ready(socket, self->dialect);
    while (s_receive(socket, frames, &count, 0))
        s_worker_answer(socket, self->dialect, frames, count);
}

/* ---- the control's broker ------------------------------------------------------------------- */

/* Knows one worker and one client by the first byte of what they send, and nothing else. */
static void s_run_raw_broker(void *arg)
{
    const case_t *self = arg;
    void *socket = s_socket(zmq_ctx_new(), ZMQ_ROUTER);
    zmq_msg_t frames[9], worker, client;
    bool has_client = false;
    zmq_bind(socket, self->endpoint);
    zmq_msg_init(&worker);
    zmq_msg_init(&client);
    zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
    while (zmq_poll(&item, 1, -1) >= 0)
        for (int i = 0; i < READS_A_ROUND; i++) {
            size_t count;
            if (!s_receive(socket, frames, &count, ZMQ_DONTWAIT))
                break;
            if (count == 2) { /* the worker's ready */
                zmq_msg_move(&worker, &frames[0]);
                continue;
            }
            bool from_worker =
                zmq_msg_size(&frames[0]) == zmq_msg_size(&worker) &&
                memcmp(zmq_msg_data(&frames[0]), zmq_msg_data(&worker), zmq_msg_size(&worker)) == 0;
            if (!from_worker && !has_client) {
                zmq_msg_copy(&client, &frames[0]);
                has_client = true;
            }
            zmq_msg_copy(&frames[0], from_worker ? &client : &worker);
            for (size_t j = 0; j < count; j++)
                zmq_msg_send(&frames[j], socket, ZMQ_DONTWAIT | (j + 1 < count ? ZMQ_SNDMORE : 0));
        }
}

/* ---- ours ----------------------------------------------------------------------------------- */

static void s_run_broker(void *arg)
{
    const case_t *self = arg;
    char why[200], trusted[64], events[64];
    snprintf(trusted, sizeof trusted, "inproc://trusted");
    snprintf(events, sizeof events, "inproc://events");
    log_set_level(LOG_ERROR);
    broker_settings_t settings = { .name = "bench",
                                   .requests = self->endpoint,
                                   .trusted = trusted,
                                   .events = events,
                                   .insecure = true,
                                   .heartbeat_ms = 60000,
                                   .probe_ms = 250,
                                   .mdp_heartbeat_ms = 60000,
                                   .mdp_credit = WORKER_CREDIT,
                                   .deadline_ms = 30000,
                                   .message_bytes = 1 << 20,
                                   .peers = 100,
                                   .services = 10,
                                   .instances = 10,
                                   .pending = 100000,
                                   .outstanding = 100000,
                                   .queue_length = 100000,
                                   .queue_bytes = 1 << 28,
                                   .retained = 10,
                                   .retained_bytes = 1 << 20 };
    if (!broker_start(zmq_ctx_new(), &settings, why, sizeof why))
        die("%s", why);
    pause();
}

/* ---- the client ----------------------------------------------------------------------------- */

static void s_client_send(void *socket, dialect_t dialect, uint64_t number)
{
    static uint8_t body[BODY_BYTES] = { 0xc4, BODY_BYTES - 2 };
    uint8_t header[RAW_HEADER] = { 1 }, byte = mdp_byte(MDP_CLIENT_2, MDP_REQUEST);
    zmq_msg_t message;
    frame_t frame = { .command = FRAME_REQUEST, .id = number + 1, .priority = 1 };
    switch (dialect) {
    case RAW:
        s_bytes(socket, header, sizeof header, true);
        break;
    case RAW_MDP2:
        /* header, command, client, "", as a worker would get it: the control moves frames only */
        s_bytes(socket, mdp_header(MDP_WORKER_2), MDP_HEADER_BYTES, true);
        s_bytes(socket, &byte, 1, true);
        s_bytes(socket, header, 8, true);
        s_bytes(socket, "", 0, true);
        break;
    case MDP2:
        s_bytes(socket, mdp_header(MDP_CLIENT_2), MDP_HEADER_BYTES, true);
        s_bytes(socket, &byte, 1, true);
        s_bytes(socket, "echo", 4, true);
        break;
    case NATIVE:
        frame_set_service(&frame, "echo");
        frame_set_method(&frame, "echo");
        zmq_msg_init_size(&message, sizeof body);
        memcpy(zmq_msg_data(&message), body, sizeof body);
        s_native(socket, &frame, &message);
        return;
    }
    s_bytes(socket, body, sizeof body, false);
}

/* One answer; a failure ends the benchmark, which would measure refusals otherwise. */
static void s_client_receive(void *socket, dialect_t dialect)
{
    zmq_msg_t frames[9];
    size_t count;
    frame_t frame;
    if (!s_receive(socket, frames, &count, 0))
        die("no answer within ten seconds");
    if (dialect == NATIVE &&
        (!frame_decode(&frame, zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0])) ||
         frame.command != FRAME_FINAL))
        die("a request was refused: %.*s", (int)zmq_msg_size(&frames[1]),
            (char *)zmq_msg_data(&frames[1]));
    if (zmq_msg_size(&frames[count - 1]) != BODY_BYTES)
        die("an answer differs from its request");
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&frames[i]);
}

static uint64_t s_run_client(const case_t *self)
{
    void *context = zmq_ctx_new(), *socket = s_socket(context, ZMQ_DEALER);
    uint64_t sent = 0, received = 0, warm = self->window, begun = 0;
    s_option(socket, ZMQ_RCVTIMEO, 10000);
    zmq_connect(socket, self->endpoint);
    while (received < self->requests + warm) {
        while (sent < self->requests + warm && sent - received < self->window)
            s_client_send(socket, self->dialect, sent++);
        s_client_receive(socket, self->dialect);
        if (++received == warm)
            begun = clock_us();
    }
    uint64_t took = clock_us() - begun;
    zmq_close(socket);
    zmq_ctx_term(context);
    return took;
}

/* ---- cases ---------------------------------------------------------------------------------- */

static void s_run(const case_t *self)
{
    bool is_raw = self->dialect == RAW || self->dialect == RAW_MDP2;
    case_t copy = *self;
    pid_t broker = bench_fork(is_raw ? s_run_raw_broker : s_run_broker, &copy);
    usleep(200000); /* the worker's READY must not come before the socket is bound */
    pid_t worker = bench_fork(s_run_worker, &copy);
    usleep(200000);
    uint64_t took = s_run_client(self);
    uint64_t cpu = bench_reap(broker, SIGKILL);
    bench_reap(worker, SIGKILL);
    bench_print("broker", self->name, self->requests, took,
                (double)cpu / (double)(self->requests + self->window));
}

int main(void)
{
    char ipc[100], tcp[100];
    uint64_t requests = bench_number("REQUESTS", 300000), window = bench_number("WINDOW", 1000);
    uint64_t rounds = bench_number("ROUNDS", 3);
    const struct {
        const char *name;
        bool is_tcp;
        dialect_t dialect;
    } cases[] = {
        { "tcp raw (control)", true, RAW },           { "tcp native", true, NATIVE },
        { "tcp raw-mdp2 (control)", true, RAW_MDP2 }, { "tcp mdp2", true, MDP2 },
        { "ipc raw (control)", false, RAW },          { "ipc native", false, NATIVE },
    };
    for (uint64_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            snprintf(ipc, sizeof ipc, "ipc:///tmp/broker-bench-%d-%zu", (int)getpid(), i);
            snprintf(tcp, sizeof tcp, "tcp://127.0.0.1:%d",
                     20000 + (int)(getpid() % 20000) + (int)i);
            s_run(&(case_t){ .name = cases[i].name,
                             .endpoint = cases[i].is_tcp ? tcp : ipc,
                             .dialect = cases[i].dialect,
                             .requests = requests,
                             .window = window });
        }
    return 0;
}
