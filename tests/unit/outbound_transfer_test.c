/* SPDX-License-Identifier: MPL-2.0
 *
 * Transfers: which addresses they reach, whatever names and redirects say, and how they end.
 *
 * 127.0.0.2 plays the Internet: it is allowed. 127.0.0.1 is what must not be reached. Names are
 * looked up by the test itself.
 */
#include "config.h"

#include <semaphore.h>
#include <signal.h>
#include <time.h>

#include "actors/base/clock.h"
#include "actors/jobs/outbound/flight.h"
#include "tests/kit/receiver.h"
#include "tests/tap.h"

#define PATIENCE_S 20

static receiver_t s_outside, s_inside;
static _Atomic int s_lookups;
static sem_t s_may_resolve;

static const stats_row_t s_rows[OUTBOUND_STATS + 1] = { OUTBOUND_STATS_ROWS };

typedef struct {
    stats_t stats;
    hosts_t *hosts;
    outbound_t *outbound;
} stand_t;

typedef struct {
    sem_t ended;
    transferred_t result;
    char body[64];
} end_t;

/* ---- the stand --------------------------------------------------------------------------- */

static void s_add(addresses_t *found, const char *text)
{
    insist(address_parse(text, strlen(text), &found->list[found->count++]));
}

static void s_resolve(const char *host, addresses_t *found)
{
    int lookups = atomic_fetch_add(&s_lookups, 1);
    found->count = 0;
    if (strcmp(host, "outside.test") == 0)
        s_add(found, "127.0.0.2");
    else if (strcmp(host, "inside.test") == 0)
        s_add(found, "127.0.0.1");
    else if (strcmp(host, "both.test") == 0) {
        s_add(found, "127.0.0.2");
        s_add(found, "127.0.0.1");
    } else if (strcmp(host, "rebinding.test") == 0)
        s_add(found, lookups == 0 ? "127.0.0.2" : "127.0.0.1");
    else if (strcmp(host, "mapped.test") == 0)
        s_add(found, "::ffff:127.0.0.1");
    else if (strcmp(host, "metadata.test") == 0)
        s_add(found, "169.254.169.254");
    else if (strcmp(host, "private.test") == 0)
        s_add(found, "10.0.0.1");
    else if (strcmp(host, "nat64.test") == 0)
        s_add(found, "64:ff9b::a00:1");
    else if (strcmp(host, "slow.test") == 0)
        while (sem_wait(&s_may_resolve) < 0)
            ;
    snprintf(found->why, sizeof found->why, "the test knows no such name");
}

static void s_settings(void)
{
    for (const setting_t *row = outbound_setting_rows; row->name; row++) {
        char *field = (char *)&outbound_settings + row->offset;
        if (row->type == SETTING_INT)
            *(int64_t *)(void *)field = atoll(row->preset);
        else if (row->type == SETTING_TEXT)
            *(const char **)(void *)field = "";
        else
            *(bool *)(void *)field = false;
    }
    outbound_settings.allow = "127.0.0.2/32";
    outbound_settings.total_ms = PATIENCE_S * 1000;
}

static void s_open(stand_t *self)
{
    char why[200];
    signal(SIGPIPE, SIG_IGN);
    atomic_store(&s_lookups, 0);
    sem_init(&s_may_resolve, 0, 0);
    stats_init(&self->stats, s_rows);
    self->hosts = hosts_new((uint32_t)outbound_settings.breaker_failures,
                            (uint32_t)outbound_settings.breaker_open_ms);
    self->outbound = outbound_open(
        &(outbound_config_t){ .stats = &self->stats, .hosts = self->hosts, .resolve = s_resolve },
        why, sizeof why);
    insist(self->outbound);
}

static void s_close(stand_t *self)
{
    outbound_close(&self->outbound);
    int64_t ended = 0;
    for (int row = OUTBOUND_ANSWERED; row <= OUTBOUND_CANCELLED; row++)
        ended += stats_get(&self->stats, (size_t)row);
    is_int(ended, stats_get(&self->stats, OUTBOUND_CALLS)); /* every one ends in one counter */
    hosts_destroy(&self->hosts);
    stats_free(&self->stats);
}

static void s_on_done(void *arg, const transferred_t *result)
{
    end_t *end = arg;
    size_t size = result->body_size < sizeof end->body ? result->body_size : sizeof end->body - 1;
    end->result = *result;
    if (size)
        memcpy(end->body, result->body, size);
    end->body[size] = '\0';
    sem_post(&end->ended);
}

static const char *const s_headers[] = { "X-Test: yes", NULL };

static bool s_send(stand_t *self, end_t *end, const char *text, const transfer_t *more)
{
    url_t url;
    char why[URL_WHY_SIZE];
    transfer_t transfer = more ? *more : (transfer_t){ 0 };
    *end = (end_t){ 0 };
    sem_init(&end->ended, 0, 0);
    insist(url_read(&url, text, URL_WEB, why));
    transfer.url = &url;
    transfer.verb = transfer.verb ? transfer.verb : "GET";
    transfer.headers = s_headers;
    transfer.done = s_on_done;
    transfer.arg = end;
    return outbound_send(self->outbound, &transfer);
}

static bool s_wait(end_t *end)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_S;
    while (sem_timedwait(&end->ended, &limit) < 0)
        if (clock_wall_ms() / 1000 > limit.tv_sec)
            return false;
    return true;
}

/* One transfer to its end. */
static const transferred_t *s_run(stand_t *self, end_t *end, const char *text,
                                  const transfer_t *more)
{
    insist(s_send(self, end, text, more));
    insist(s_wait(end));
    return &end->result;
}

/* An URL of a host at the port of the receivers, which is the same. */
static const char *s_url(const char *host, const char *path)
{
    static char text[4][300];
    static size_t next;
    char *at = text[next++ % COUNT_OF(text)];
    snprintf(at, sizeof text[0], "http://%s:%u%s", host, s_outside.port, path);
    return at;
}

/* ---- the fence ------------------------------------------------------------------------------- */

static void test_answered(void)
{
    stand_t stand;
    end_t end;
    s_open(&stand);
    const transferred_t *result = s_run(&stand, &end, s_url("outside.test", "/ok"), NULL);
    is_int(result->outcome, TRANSFER_ANSWERED);
    is_int(result->status, 200);
    is_text(end.body, "hello");
    is_text(result->address, "127.0.0.2");
    is_text(result->why, "");
    ok(result->total_us >= result->first_byte_us && result->first_byte_us >= result->connect_us &&
       result->connect_us > 0);
    result = s_run(&stand, &end, s_url("127.0.0.2", "/status/404"),
                   &(transfer_t){ .verb = "POST", .body = "{}", .size = 2 });
    is_int(result->outcome, TRANSFER_ANSWERED);
    is_int(result->status, 404);
    is_int(s_run(&stand, &end, s_url("outside.test", "/status/503"), NULL)->retry_after_ms, 7000);
    s_close(&stand);
}

static void test_fenced(void)
{
    static const char *const hosts[] = {
        "inside.test",     "both.test",          "mapped.test", "metadata.test",
        "private.test",    "nat64.test",         "127.0.0.1",   "2130706433",
        "0x7f.0.0.1",      "[::ffff:127.0.0.1]", "[::1]",       "0.0.0.0",
        "169.254.169.254", "[fe80::1]",          "192.168.1.1", "[64:ff9b::7f00:1]",
    };
    stand_t stand;
    end_t end;
    s_open(&stand);
    int before = atomic_load(&s_inside.connections);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const transferred_t *result = s_run(&stand, &end, s_url(hosts[i], "/ok"), NULL);
        if (!ok_named(result->outcome == TRANSFER_FENCED, hosts[i]))
            note("%s: %s", transfer_outcome_names[result->outcome], result->why);
    }
    is_int(stats_get(&stand.stats, OUTBOUND_FENCED), COUNT_OF(hosts));
    is_int(atomic_load(&s_inside.connections), before);
    s_close(&stand);
}

/* A name that means something good when it is looked at, and something bad when it is used. */
static void test_rebinding(void)
{
    stand_t stand;
    end_t end;
    s_open(&stand);
    int before = atomic_load(&s_inside.connections);
    const transferred_t *result = s_run(&stand, &end, s_url("rebinding.test", "/ok"), NULL);
    is_int(result->outcome, TRANSFER_ANSWERED); /* by the address that was judged */
    is_text(result->address, "127.0.0.2");
    is_int(atomic_load(&s_lookups), 1);
    result = s_run(&stand, &end, s_url("rebinding.test", "/ok"), NULL);
    is_int(result->outcome, TRANSFER_FENCED); /* judged anew */
    is_int(atomic_load(&s_lookups), 2);
    is_int(atomic_load(&s_inside.connections), before);
    s_close(&stand);
}

/* The last word: even if libcurl came by another address, no socket is made for it. */
static void test_last_word(void)
{
    url_t url;
    fence_t fence;
    char why[URL_WHY_SIZE];
    addresses_t addresses = { .count = 1 };
    int before = atomic_load(&s_inside.connections);
    insist(fence_read(&fence, "", why, sizeof why));
    insist(url_read(&url, s_url("sneaky.test", "/ok"), URL_WEB, why));
    insist(address_parse("127.0.0.1", 9, &addresses.list[0]));
    flight_t *flight =
        flight_new(&(transfer_t){ .url = &url, .verb = "GET", .headers = s_headers });
    flight->fence = &fence;
    flight_prepare(flight, &addresses);
    flight_read(flight, curl_easy_perform(flight->easy));
    is_int(flight->result.outcome, TRANSFER_FENCED);
    is_text(flight->result.why, "sneaky.test is a loopback address");
    is_int(atomic_load(&s_inside.connections), before);
    flight_free(flight);
}

static void test_redirects(void)
{
    static const struct {
        const char *to;
        uint32_t redirects;
        transfer_outcome_t outcome;
        uint32_t status;
    } cases[] = {
        { "http://outside.test:PORT/ok", 0, TRANSFER_ANSWERED, 302 },
        { "http://outside.test:PORT/ok", 1, TRANSFER_ANSWERED, 200 },
        { "/ok", 1, TRANSFER_ANSWERED, 200 },
        { "http://127.0.0.1:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "http://inside.test:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "http://2130706433:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "http://[::ffff:7f00:1]:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "//inside.test:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "http://ada:secret@outside.test:PORT/ok", 3, TRANSFER_FENCED, 0 },
        { "ftp://outside.test/ok", 3, TRANSFER_FENCED, 0 },
        { "file:///etc/passwd", 3, TRANSFER_FENCED, 0 },
        { "/redirect", 3, TRANSFER_ANSWERED, 302 }, /* for ever */
    };
    stand_t stand;
    end_t end;
    s_open(&stand);
    int before = atomic_load(&s_inside.connections);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *port = strstr(cases[i].to, "PORT");
        snprintf(s_outside.location, sizeof s_outside.location, "%.*s",
                 port ? (int)(port - cases[i].to) : 200, cases[i].to);
        if (port)
            snprintf(s_outside.location + strlen(s_outside.location), 64, "%u%s", s_outside.port,
                     port + 4);
        const transferred_t *result = s_run(&stand, &end, s_url("outside.test", "/redirect"),
                                            &(transfer_t){ .redirects = cases[i].redirects });
        bool good = result->outcome == cases[i].outcome &&
                    (cases[i].status == 0 || result->status == cases[i].status);
        if (!ok_named(good, cases[i].to))
            note("%s %u %s", transfer_outcome_names[result->outcome], result->status, result->why);
    }
    is_int(atomic_load(&s_inside.connections), before);
    const transferred_t *result =
        s_run(&stand, &end, s_url("outside.test", "/redirect"),
              &(transfer_t){ .redirects = 3, .verb = "POST", .body = "{}", .size = 2 });
    is_int(result->status, 302); /* a message is for whom it was meant */
    s_close(&stand);
}

/* ---- how they end ---------------------------------------------------------------------------- */

static void test_limits(void)
{
    stand_t stand;
    end_t end;
    s_open(&stand);
    const transferred_t *result =
        s_run(&stand, &end, s_url("outside.test", "/large"), &(transfer_t){ .answer_max = 1000 });
    is_int(result->outcome, TRANSFER_ANSWERED);
    ok(result->is_cut && result->body_size == 1000);
    result = s_run(&stand, &end, s_url("outside.test", "/cut"), NULL);
    is_int(result->outcome, TRANSFER_BROKEN);
    result = s_run(&stand, &end, s_url("nobody.test", "/"), NULL);
    is_int(result->outcome, TRANSFER_UNRESOLVED);
    is_text(result->why, "nobody.test cannot be found: the test knows no such name");
    result = s_run(&stand, &end, "http://127.0.0.2:1/", NULL);
    is_int(result->outcome, TRANSFER_UNREACHABLE);
    s_close(&stand);
}

static void test_timeouts(void)
{
    stand_t stand;
    end_t silent, slow, other;
    s_open(&stand);
    const transfer_t brief = { .total_ms = 200 };
    ok(s_send(&stand, &silent, s_url("outside.test", "/silent"), &brief));
    ok(s_send(&stand, &slow, s_url("slow.test", "/"), &brief));
    /* one that waits for an answer and one that waits for a name hold up nobody */
    is_int(s_run(&stand, &other, s_url("outside.test", "/ok"), NULL)->outcome, TRANSFER_ANSWERED);
    ok(s_wait(&silent) && s_wait(&slow));
    is_int(silent.result.outcome, TRANSFER_TIMEOUT);
    ok(strstr(silent.result.why, "waiting for the answer") != NULL);
    is_int(slow.result.outcome, TRANSFER_TIMEOUT);
    ok(strstr(slow.result.why, "looking the host up") != NULL);
    sem_post(&s_may_resolve);
    s_close(&stand);
}

static void test_leaving(void)
{
    stand_t stand;
    end_t silent[4];
    s_open(&stand);
    for (size_t i = 0; i < COUNT_OF(silent); i++)
        ok(s_send(&stand, &silent[i], s_url("outside.test", "/silent"), NULL));
    s_close(&stand);
    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        ok(s_wait(&silent[i]));
        is_int(silent[i].result.outcome, TRANSFER_CANCELLED);
    }
}

/* Two to one host, the third waits for its turn; another host is called meanwhile. */
static void test_turns(void)
{
    stand_t stand;
    end_t silent[2], third, other, refused;
    outbound_settings.per_host = 2;
    outbound_settings.in_flight = 3;
    outbound_settings.waiting = 1;
    s_open(&stand);
    for (size_t i = 0; i < 2; i++)
        ok(s_send(&stand, &silent[i], s_url("outside.test", "/silent"),
                  &(transfer_t){ .total_ms = 600 }));
    ok(s_send(&stand, &third, s_url("outside.test", "/ok"), NULL));
    is_int(s_run(&stand, &other, s_url("127.0.0.2", "/ok"), NULL)->outcome, TRANSFER_ANSWERED);
    is_int(s_run(&stand, &refused, s_url("outside.test", "/ok"), &(transfer_t){ .total_ms = 50 })
               ->outcome,
           TRANSFER_TIMEOUT);
    ok(refused.result.is_unbegun); /* it had no turn, and nobody was asked */
    ok(s_wait(&third) && third.result.outcome == TRANSFER_ANSWERED);
    ok(third.result.total_us > 200000); /* after the others had ended */
    ok(s_wait(&silent[0]) && s_wait(&silent[1]));
    ok(silent[0].result.outcome == TRANSFER_TIMEOUT && !silent[0].result.is_unbegun);
    for (size_t i = 0; i < 2; i++)
        ok(s_send(&stand, &silent[i], s_url("outside.test", "/silent"), NULL));
    ok(s_send(&stand, &third, s_url("outside.test", "/ok"), NULL) &&
       s_send(&stand, &other, s_url("outside.test", "/ok"), NULL));
    ok(!s_send(&stand, &refused, s_url("outside.test", "/ok"), NULL));
    is_int(stats_get(&stand.stats, OUTBOUND_REFUSED), 1);
    s_close(&stand);
    s_settings();
}

static void test_rest(void)
{
    stand_t stand;
    end_t end;
    s_open(&stand);
    for (int i = 0; i < 5; i++)
        s_run(&stand, &end, s_url("outside.test", "/status/500"), NULL);
    const transferred_t *result = s_run(&stand, &end, s_url("outside.test", "/ok"), NULL);
    is_int(result->outcome, TRANSFER_RESTING);
    ok(result->is_unbegun);
    ok(result->retry_after_ms > 20000 && result->retry_after_ms <= 30000);
    is_int(s_run(&stand, &end, s_url("127.0.0.2", "/ok"), NULL)->outcome, TRANSFER_ANSWERED);
    char target[64];
    snprintf(target, sizeof target, "outside.test:%u", s_outside.port);
    ok(hosts_force(stand.hosts, target, HOST_FORCED_CLOSED, clock_ms(), clock_wall_ms()));
    is_int(s_run(&stand, &end, s_url("outside.test", "/ok"), NULL)->outcome, TRANSFER_ANSWERED);
    for (int i = 0; i < 20; i++) /* whom we refuse has not failed */
        s_run(&stand, &end, s_url("inside.test", "/ok"), NULL);
    is_int(end.result.outcome, TRANSFER_FENCED);
    s_close(&stand);
}

/* Who looks whether a host answers is not kept from it by what others have found there, and keeps
 * nobody else from it; nor does who gives it no time to answer. */
static void test_rest_of_others(void)
{
    stand_t stand;
    end_t end;
    s_open(&stand);
    for (int i = 0; i < 10; i++)
        s_run(&stand, &end, s_url("outside.test", "/status/500"), &(transfer_t){ .is_look = true });
    is_int(end.result.status, 500);
    for (int i = 0; i < 10; i++)
        s_run(&stand, &end, s_url("outside.test", "/silent"), &(transfer_t){ .total_ms = 20 });
    is_int(end.result.outcome, TRANSFER_TIMEOUT);
    is_int(s_run(&stand, &end, s_url("outside.test", "/ok"), NULL)->outcome, TRANSFER_ANSWERED);
    for (int i = 0; i < 5; i++)
        s_run(&stand, &end, s_url("outside.test", "/status/500"), NULL);
    is_int(s_run(&stand, &end, s_url("outside.test", "/ok"), NULL)->outcome, TRANSFER_RESTING);
    is_int(s_run(&stand, &end, s_url("outside.test", "/ok"), &(transfer_t){ .is_look = true })
               ->outcome,
           TRANSFER_ANSWERED);
    s_close(&stand);
}

static void test_https_only(void)
{
    stand_t stand;
    end_t end;
    outbound_settings.https_only = true;
    s_open(&stand);
    is_int(s_run(&stand, &end, s_url("outside.test", "/ok"), NULL)->outcome, TRANSFER_FENCED);
    s_close(&stand);
    s_settings();
}

/* The environment names a proxy: it is not asked. */
static void test_no_proxy(void)
{
    stand_t stand;
    end_t end;
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", s_inside.port);
    setenv("http_proxy", proxy, 1);
    setenv("ALL_PROXY", proxy, 1);
    s_open(&stand);
    int before = atomic_load(&s_inside.connections);
    is_text(s_run(&stand, &end, s_url("outside.test", "/ok"), NULL)->address, "127.0.0.2");
    is_int(atomic_load(&s_inside.connections), before);
    s_close(&stand);
}

static void test_begin(void)
{
    s_settings();
    receiver_start(&s_outside, "127.0.0.2", 0);
    receiver_start(&s_inside, "127.0.0.1", s_outside.port);
    ok(s_outside.port == s_inside.port);
}

static void test_end(void)
{
    receiver_stop(&s_outside);
    receiver_stop(&s_inside);
    is_int(atomic_load(&s_inside.connections), 0); /* nobody has ever come in */
}

TESTS({ "begin", test_begin }, { "answered", test_answered }, { "fenced", test_fenced },
      { "rebinding", test_rebinding }, { "last word", test_last_word },
      { "redirects", test_redirects }, { "limits", test_limits }, { "timeouts", test_timeouts },
      { "leaving", test_leaving }, { "turns", test_turns }, { "rest", test_rest },
      { "rest of others", test_rest_of_others }, { "https only", test_https_only },
      { "no proxy", test_no_proxy }, { "end", test_end })
