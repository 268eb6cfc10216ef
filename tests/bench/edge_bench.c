/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_bench - HTTP requests a second, and the CPU time of all our processes for each
 *
 * The clients keep one request each under way over connections that stay open. The control case is
 * a civetweb that answers the same bytes as /v1/ping and does nothing else. "ping", "get" and
 * "post" are the edge, the broker and an echoing service in one process, which count no limits and
 * keep no answers (edge_server.h).
 *
 * The others ask the whole system, first as processes of their own, then as `signalbox run`
 * (edge_system.h): R1 is a ping of a stranger, whose limit is counted, R2 an analysis read again,
 * of about 2 kB, by a user with a token and a limit, R3 a workflow of 10 kB that is analysed and
 * stored, R3c the same one again and again, R4 a job that is enqueued, on disk when it is answered:
 * one that waits, and one that is run as well, by a service that answers from memory. For the
 * figures that are compared with others, PostgreSQL belongs to it:
 *
 *     tests/kit/postgres.py --durable run tests/bench/edge_bench
 *
 * What it costs to be seen: R1 with no log and nothing told of what is counted, then with a log,
 * then with both (as it is by default); and the counting itself, which is always done.
 *
 * BENCH_REQUESTS, BENCH_ROUNDS and BENCH_CLIENTS change the size of a run; BENCH_ONLY=system leaves
 * out the echoing service, BENCH_ONLY=seen all but the cost of being seen.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/stats.h"
#include "proto/client.h"
#include "tests/bench/documents.h"
#include "tests/bench/edge_clients.h"
#include "tests/bench/edge_server.h"
#include "tests/bench/edge_system.h"

#define BODY_BYTES 10000
#define READ_NODES 3 /* of the workflow whose analysis is read: about 2 kB of answer */
#define COUNTINGS  1000000

typedef struct {
    uint64_t requests;
    size_t clients;
} size_of_run_t;

/* ---- servers of one process ------------------------------------------------------------------ */

static void s_run_server(const char *name, void (*server)(void *arg), clients_request_t *request,
                         uint64_t requests, size_t clients)
{
    int pipe_fds[2];
    unsigned port = 0;
    buf_t answer = { 0 };
    if (pipe(pipe_fds) != 0)
        die("cannot make a pipe");
    pid_t pid = bench_fork(server, &pipe_fds[1]);
    close(pipe_fds[1]);
    if (read(pipe_fds[0], &port, sizeof port) != sizeof port)
        die("the server did not start");
    close(pipe_fds[0]);
    clients_ask(port, &request->bytes, &answer);
    buf_free(&answer);
    uint64_t took = clients_run(port, request, requests, clients);
    uint64_t cpu = bench_reap(pid, SIGKILL);
    bench_print("edge", name, requests, took, (double)cpu / (double)requests);
}

static void s_write_list(buf_t *body)
{
    buf_add_text(body, "{\"list\":[");
    for (int i = 0; body->size < BODY_BYTES; i++)
        buf_printf(body, "%s{\"name\":\"part number %d of a list\",\"size\":%d}", i ? "," : "", i,
                   i * 37);
    buf_add_text(body, "]}");
}

static void s_bench_control(const size_of_run_t *size)
{
    clients_request_t ping = { .serial_at = 0 };
    clients_write_get("/v1/ping", "", &ping.bytes);
    s_run_server("civetweb hello (control)", edge_server_hello, &ping, size->requests,
                 size->clients);
    buf_free(&ping.bytes);
}

static void s_bench_plain(const size_of_run_t *size)
{
    clients_request_t ping = { .serial_at = 0 }, get = { .serial_at = 0 },
                      post = { .serial_at = 0 };
    buf_t list = { 0 };
    s_write_list(&list);
    clients_write_get("/v1/ping", "", &ping.bytes);
    clients_write_get("/v1/echo/12345", "", &get.bytes);
    clients_write_post("/v1/echo", "", &list, &post.bytes);
    s_run_server("ping", edge_server_plain, &ping, size->requests, size->clients);
    s_run_server("get over the bus", edge_server_plain, &get, size->requests, size->clients);
    s_run_server("post 10 kB over the bus", edge_server_plain, &post, size->requests / 4,
                 size->clients);
    buf_t *const all[] = { &list, &ping.bytes, &get.bytes, &post.bytes };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        buf_free(all[i]);
}

/* ---- the whole system ------------------------------------------------------------------------ */

/* The text of a member of a JSON answer. */
static void s_take_text(buf_t *answer, const char *member, char *text, size_t room)
{
    char name[64];
    snprintf(name, sizeof name, "\"%s\":\"", member);
    const char *at = strstr(buf_text(answer), name),
               *end = at ? strchr(at + strlen(name), '"') : NULL;
    if (!end || (size_t)(end - at) - strlen(name) >= room)
        die("no '%s' in the answer: %s", member, buf_text(answer));
    snprintf(text, room, "%.*s", (int)(end - at - (ptrdiff_t)strlen(name)), at + strlen(name));
}

/* Makes a user; the header with which it calls. */
static void s_sign_in(unsigned port, char *header, size_t room)
{
    static unsigned users;
    char token[2048];
    buf_t body = { 0 }, request = { 0 }, answer = { 0 };
    buf_printf(&body,
               "{\"email\":\"bench-%d-%u-%llu@example.dev\",\"password\":\"to be measured, not "
               "guessed\"}",
               (int)getpid(), ++users, (unsigned long long)clock_wall_ms());
    clients_write_post("/v1/auth/register", "", &body, &request);
    clients_ask(port, &request, &answer);
    s_take_text(&answer, "access_token", token, sizeof token);
    snprintf(header, room, "Authorization: Bearer %s\r\n", token);
    buf_free(&body);
    buf_free(&request);
    buf_free(&answer);
}

typedef struct {
    clients_request_t ping, page, workflow, repeated, job, waiting_job;
} cases_t;

/* A small workflow is analysed, and then read again and again. */
static void s_write_page(cases_t *cases, unsigned port, const char *header)
{
    char id[64], path[96];
    buf_t workflow = { 0 }, answer = { 0 };
    documents_n8n(&workflow, READ_NODES);
    clients_write_post("/v1/analyses", header, &workflow, &cases->page.bytes);
    clients_ask(port, &cases->page.bytes, &answer);
    s_take_text(&answer, "id", id, sizeof id);
    snprintf(path, sizeof path, "/v1/analyses/%s", id);
    clients_write_get(path, header, &cases->page.bytes);
    buf_free(&workflow);
    buf_free(&answer);
}

static void s_write_job(clients_request_t *request, const char *header, const char *more)
{
    buf_t body = { 0 };
    buf_printf(&body,
               "{\"kind\":\"analysis.rule\",\"payload\":{\"id\":\"NR101\"},\"max_attempts\":3%s}",
               more);
    clients_write_post("/v1/jobs", header, &body, &request->bytes);
    buf_free(&body);
}

static void s_write_cases(cases_t *cases, unsigned port)
{
    char header[2200];
    buf_t workflow = { 0 };
    s_sign_in(port, header, sizeof header);
    documents_n8n(&workflow, BODY_BYTES / 1000);
    clients_write_get("/v1/ping", "", &cases->ping.bytes);
    s_write_page(cases, port, header);
    clients_write_post("/v1/analyses", header, &workflow, &cases->repeated.bytes);
    clients_write_post("/v1/analyses", header, &workflow, &cases->workflow.bytes);
    s_write_job(&cases->job, header, "");
    s_write_job(&cases->waiting_job, header, ",\"delay_ms\":86400000");
    /* a number in place of the name's first letters makes each another workflow */
    cases->workflow.serial_at = cases->workflow.bytes.size - workflow.size + strlen("{\"name\":\"");
    buf_free(&workflow);
}

static void s_free_cases(cases_t *cases)
{
    buf_free(&cases->ping.bytes);
    buf_free(&cases->page.bytes);
    buf_free(&cases->workflow.bytes);
    buf_free(&cases->repeated.bytes);
    buf_free(&cases->job.bytes);
    buf_free(&cases->waiting_job.bytes);
}

static void s_run_case(system_t *system, const char *name, clients_request_t *request,
                       uint64_t requests, size_t clients)
{
    bench_part_t parts[SYSTEM_PARTS];
    clients_run(system->port, request, clients, clients); /* what is made once is made, and kept */
    system_mark(system);
    uint64_t took = clients_run(system->port, request, requests, clients);
    size_t count = system_measure(system, parts);
    bench_print_parts("edge", name, requests, took, parts, count);
}

static void s_bench_system(const size_of_run_t *size, bool in_one_process)
{
    static const char *const names[][6] = {
        { "R1 ping, as processes", "R2 kept get, as processes", "R3c repeated 10 kB, as processes",
          "R3 analysed 10 kB, as processes", "R4 enqueued, as processes",
          "R4 enqueued and run, as processes" },
        { "R1 ping, in one process", "R2 kept get, in one process",
          "R3c repeated 10 kB, in one process", "R3 analysed 10 kB, in one process",
          "R4 enqueued, in one process", "R4 enqueued and run, in one process" },
    };
    const char *const *name = names[in_one_process];
    system_t system;
    cases_t cases = { 0 };
    system_start(&system, in_one_process ? SYSTEM_ONE_PROCESS : SYSTEM_PROCESSES);
    s_write_cases(&cases, system.port);
    s_run_case(&system, name[0], &cases.ping, size->requests, size->clients);
    s_run_case(&system, name[1], &cases.page, size->requests, size->clients);
    s_run_case(&system, name[2], &cases.repeated, size->requests, size->clients);
    s_run_case(&system, name[3], &cases.workflow, size->requests / 10, size->clients);
    s_run_case(&system, name[4], &cases.waiting_job, size->requests / 10, size->clients);
    s_run_case(&system, name[5], &cases.job, size->requests / 10, size->clients);
    s_free_cases(&cases);
    system_stop(&system);
}

/* ---- what it costs to be seen ---------------------------------------------------------------- */

/* R1 alone, while what is logged and told grows. */
static void s_bench_seen(const size_of_run_t *size)
{
    static const struct {
        system_form_t form;
        const char *name;
    } forms[] = { { SYSTEM_SILENT, "R1 ping, neither logged, told nor traced" },
                  { SYSTEM_UNTOLD, "R1 ping, logged, neither told nor traced" },
                  { SYSTEM_PROCESSES, "R1 ping, logged, told and traced" } };
    clients_request_t ping = { 0 };
    clients_write_get("/v1/ping", "", &ping.bytes);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        system_t system;
        system_start(&system, forms[i].form);
        s_run_case(&system, forms[i].name, &ping, size->requests, size->clients);
        system_stop(&system);
    }
    buf_free(&ping.bytes);
}

static void s_count(void *arg)
{
    stats_t *stats = arg;
    static const char *const labels[] = { "GET", "/v1/analyses/{id}", "200" };
    const uint8_t trace[16] = { 1 };
    for (uint64_t i = 0; i < COUNTINGS; i++) {
        series_add(stats_at(stats, 0, labels), 1);
        series_record_traced(stats_at(stats, 1, labels), i % 1000, trace, (int64_t)i / 1000);
    }
}

/* What the edge counts of a request by route. */
static void s_bench_counting(void)
{
    static const stats_row_t rows[] = {
        { "http_requests_total{method,route,status}", STATS_COUNTER, "" },
        { "http_request_duration_seconds{method,route}", STATS_TRACED, "" },
        { 0 },
    };
    stats_t stats;
    stats_init(&stats, rows);
    bench_repeat("edge", "a request counted by route, status and time", COUNTINGS, s_count, &stats);
    stats_free(&stats);
}

/* ---- what it costs to be a span ---------------------------------------------------------------
 */

static void s_trace(void *arg)
{
    spans_t *spans = arg;
    for (uint64_t i = 0; i < COUNTINGS; i++) {
        trace_t trace;
        trace_span_t span;
        uint8_t parent[TRACE_SPAN_BYTES];
        spans_enter(spans, NULL, &trace, parent);
        trace_span_init(&span, SPAN_SERVER, "GET", "/v1/analyses/{id}", &trace, parent);
        span.took_us = 100;
        spans_end(spans, &span);
    }
}

/* A request's span that nobody keeps: beginning a trace, and putting it into the ring. */
static void s_bench_tracing(void)
{
    client_settings_t bus = { .brokers = "inproc://nobody",
                              .events = "",
                              .heartbeat_ms = 1000,
                              .outstanding = 10,
                              .trace_slow_ms = 1000,
                              .trace_ring = 2048 };
    void *context = zmq_ctx_new();
    client_t *client = client_new(
        context, &(client_config_t){ .settings = &bus, .name = "bench", .part = "bench" });
    bench_repeat("edge", "a request's span that is not kept", COUNTINGS, s_trace,
                 client_spans(client));
    client_destroy(&client);
    zmq_ctx_term(context);
}

/* ---- what it costs to be a line ---------------------------------------------------------------
 */

static void s_write_lines(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < COUNTINGS; i++) {
        log_set_request("01HZX3M5K8Q2V7N4R6T9W0Y1AB", "4bf92f3577b34da6a3ce929d0e0e4736");
        LOG(LOG_INFO, "request", LOG_WORD("http.request.method", "GET"),
            LOG_WORD("http.route", "/v1/analyses/{id}"), LOG_INT("http.response.status_code", 200),
            LOG_WORD("error.type", NULL), LOG_INT("http.request.body.size", 0),
            LOG_INT("http.response.body.size", 2048), LOG_INT("edge_us", i % 1000),
            LOG_INT("actor_us", 0), LOG_WORD("cache", NULL), LOG_WORD("limit", "lease"));
    }
    log_set_request(NULL, NULL);
}

/* A request's line in the log, which nobody keeps. */
static void s_bench_logging(void)
{
    const int before = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    insist(log_set_format("json"));
    bench_repeat("edge", "a request's line in the log", COUNTINGS, s_write_lines, NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    close(nowhere);
    insist(log_set_format("auto"));
}

int main(void)
{
    const uint64_t rounds = bench_number("ROUNDS", 3);
    const size_of_run_t size = { .requests = bench_number("REQUESTS", 100000),
                                 .clients = (size_t)bench_number("CLIENTS", 64) };
    const char *only = getenv("BENCH_ONLY");
    if (size.clients < 1 || size.clients > CLIENTS_MAX)
        die("BENCH_CLIENTS must be from 1 to %d", CLIENTS_MAX);
    for (uint64_t round = 0; round < rounds; round++) {
        s_bench_control(&size);
        if (!only)
            s_bench_plain(&size);
        s_bench_counting();
        s_bench_tracing();
        s_bench_logging();
        s_bench_seen(&size);
        if (!only || strcmp(only, "seen") != 0) {
            s_bench_system(&size, false);
            s_bench_system(&size, true);
        }
    }
    return 0;
}
