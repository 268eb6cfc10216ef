/* SPDX-License-Identifier: MPL-2.0
 *
 * Which addresses may be called on somebody's word.
 */
#include "config.h"

#include "actors/jobs/outbound/fence.h"
#include "tests/tap.h"

static const char *s_refusal(const char *allow, const char *text)
{
    fence_t fence;
    address_t address;
    char why[200];
    insist(fence_read(&fence, allow, why, sizeof why));
    if (!address_parse(text, strlen(text), &address))
        return "no address";
    return fence_refusal(&fence, &address);
}

static void test_public(void)
{
    static const char *const cases[] = {
        "8.8.8.8",         "1.0.0.1",         "9.255.255.255",
        "11.0.0.0",        "100.63.255.255",  "100.128.0.0",
        "126.255.255.255", "128.0.0.1",       "169.253.1.1",
        "172.15.255.255",  "172.32.0.0",      "192.167.255.255",
        "192.169.0.0",     "198.17.0.1",      "198.20.0.1",
        "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::200e",
        "::ffff:8.8.8.8",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(!s_refusal("", cases[i]), cases[i]);
}

static void test_refused(void)
{
    static const char *const cases[][2] = {
        { "0.0.0.0", "this host" },
        { "0.1.2.3", "this host" },
        { "10.0.0.1", "private" },
        { "10.255.255.255", "private" },
        { "100.64.0.1", "translator" },
        { "100.100.100.200", "translator" },
        { "127.0.0.1", "loopback" },
        { "127.255.255.254", "loopback" },
        { "169.254.169.254", "link-local" },
        { "172.16.0.1", "private" },
        { "172.31.255.255", "private" },
        { "192.0.0.170", "protocols" },
        { "192.0.2.1", "documents" },
        { "192.88.99.1", "tunnel" },
        { "192.168.1.1", "private" },
        { "198.18.0.1", "benchmarks" },
        { "198.51.100.7", "documents" },
        { "203.0.113.7", "documents" },
        { "224.0.0.1", "multicast" },
        { "239.255.255.255", "multicast" },
        { "240.0.0.1", "reserved" },
        { "255.255.255.255", "reserved" },
        { "168.63.129.16", "cloud" },
        { "::", "this host" },
        { "::1", "loopback" },
        { "::127.0.0.1", "not given out" },
        { "::ffff:127.0.0.1", "loopback" },
        { "::ffff:10.1.2.3", "private" },
        { "::ffff:169.254.169.254", "link-local" },
        { "::ffff:0:10.0.0.1", "not given out" },
        { "64:ff9b::10.0.0.1", "translator" },
        { "64:ff9b::8.8.8.8", "translator" },
        { "64:ff9b:1::1", "translator" },
        { "100::1", "not given out" },
        { "2001::1", "tunnel" },
        { "2001:db8::1", "documents" },
        { "2002:7f00:1::", "tunnel" },
        { "3fff::1", "documents" },
        { "4000::1", "not given out" },
        { "5f00::1", "not given out" },
        { "fc00::1", "private" },
        { "fd00:ec2::254", "private" },
        { "fe80::1", "link-local" },
        { "fec0::1", "private" },
        { "ff02::1", "multicast" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *refusal = s_refusal("", cases[i][0]);
        ok_named(refusal && strstr(refusal, cases[i][1]), cases[i][0]);
    }
}

static void test_allowed(void)
{
    static const struct {
        const char *allow, *address;
        bool is_refused;
    } cases[] = {
        { "10.1.0.0/16", "10.1.2.3", false },          { "10.1.0.0/16", "10.2.2.3", true },
        { "10.1.0.0/16", "::ffff:10.1.2.3", false },   { "127.0.0.1, ::1", "::1", false },
        { "127.0.0.1 ::1", "127.0.0.2", true },        { "fd00::/8", "fd12::1", false },
        { "64:ff9b::/96", "64:ff9b::808:808", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named((s_refusal(cases[i].allow, cases[i].address) != NULL) == cases[i].is_refused,
                 cases[i].address);
    fence_t fence;
    char why[200];
    ok(!fence_read(&fence, "10.0.0.0/8 lan", why, sizeof why));
    ok(strstr(why, "'lan'") != NULL);
}

TESTS({ "public", test_public }, { "refused", test_refused }, { "allowed", test_allowed })
