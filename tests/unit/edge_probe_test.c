/* SPDX-License-Identifier: MPL-2.0
 *
 * What a service says of itself, as it is shown to whoever looks after the system.
 */
#include "config.h"

#include "edge/probe.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

static void test_replies(void)
{
    static const struct {
        const char *json;
        health_t health;
        const char *why;
    } cases[] = {
        { "{\"status\":\"ok\",\"checks\":[]}", HEALTHY, "" },
        { "{\"status\":\"ok\",\"checks\":[{\"name\":\"database\",\"status\":\"ok\"}]}", HEALTHY,
          "" },
        { "{\"status\":\"ok\",\"checks\":[{\"name\":\"database\",\"status\":\"ok\"},"
          "{\"name\":\"redis\",\"status\":\"warning\"}]}",
          DEGRADED, "its redis is not as it should be" },
        { "{\"status\":\"error\",\"checks\":[{\"name\":\"database\",\"status\":\"error\"},"
          "{\"name\":\"redis\",\"status\":\"warning\"}]}",
          UNHEALTHY,
          "its database cannot be reached or does not work, its redis is not as it should be" },
        { "{\"status\":\"error\",\"checks\":[]}", UNHEALTHY, "it says it is not well" },
        { "{}", UNHEALTHY, "it says it is not well" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        probe_t probe = { .health = UNHEALTHY, .why = "old" };
        buf_t packed = described_pack(cases[i].json);
        probe_read(&probe, packed.bytes, packed.size);
        is_int(probe.health, cases[i].health);
        is_text(probe.why, cases[i].why);
        buf_free(&packed);
    }
}

/* What the service looked at is kept, for who asks what others say of the same. */
static void test_checks(void)
{
    probe_t probe = { .check_count = 3 };
    buf_t packed = described_pack(
        "{\"status\":\"ok\",\"checks\":[{\"name\":\"database\",\"status\":\"ok\","
        "\"latency_us\":1500,\"message\":\"It answers\"},{\"name\":\"redis\",\"status\":"
        "\"warning\",\"latency_us\":-7}]}");
    probe_read(&probe, packed.bytes, packed.size);
    is_int(probe.check_count, 2);
    is_text(probe.checks[0].name, "database");
    is_int(probe.checks[0].health, HEALTHY);
    is_int(probe.checks[0].took_us, 1500);
    is_text(probe.checks[0].message, "It answers");
    is_text(probe.checks[1].name, "redis");
    is_int(probe.checks[1].health, DEGRADED);
    is_int(probe.checks[1].took_us, 0);
    is_text(probe.checks[1].message, "");
    buf_free(&packed);
}

static void test_hostile_replies(void)
{
    probe_t probe;
    buf_t json = { 0 };
    buf_add_text(&json, "{\"status\":\"ok\",\"checks\":[");
    for (int i = 0; i < 100; i++)
        buf_printf(&json, "%s{\"name\":\"%0200d\",\"status\":\"error\"}", i ? "," : "", i);
    buf_add_text(&json, "]}");
    buf_t packed = described_pack(buf_text(&json));
    probe_read(&probe, packed.bytes, packed.size);
    is_int(probe.health, UNHEALTHY);
    is_int(strlen(probe.why), sizeof probe.why - 1);
    is_int(probe.check_count, PROBE_CHECKS_MAX);
    is_int(strlen(probe.checks[0].name), sizeof probe.checks[0].name - 1);
    probe_read(&probe, "\xc1", 1);
    is_int(probe.health, UNHEALTHY);
    buf_free(&json);
    buf_free(&packed);
}

TESTS({ "replies", test_replies }, { "checks", test_checks },
      { "hostile replies", test_hostile_replies })
