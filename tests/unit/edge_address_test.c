/* SPDX-License-Identifier: MPL-2.0
 *
 * Whose address counts: networks, proxies, and what limits make of an address.
 */
#include "config.h"

#include <arpa/inet.h>

#include "edge/address.h"
#include "tests/tap.h"

static address_t s_address(const char *text)
{
    address_t address = { { 0 } };
    ok_named(address_parse(text, strlen(text), &address), text);
    return address;
}

static void test_text(void)
{
    static const struct {
        const char *from, *to; /* NULL: no address */
    } cases[] = {
        { "192.0.2.1", "192.0.2.1" },
        { "192.0.2.1:8080", "192.0.2.1" },
        { "2001:DB8::1", "2001:db8::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "[2001:db8::1]:443", "2001:db8::1" },
        { "::ffff:192.0.2.1", "192.0.2.1" },
        { "", NULL },
        { "unknown", NULL },
        { "192.0.2", NULL },
        { "192.0.2.1:", NULL },
        { "192.0.2.1:http", NULL },
        { "192.0.2.1:123456", NULL },
        { "192.0.2.01", NULL },
        { "[2001:db8::1", NULL },
        { "[2001:db8::1]x", NULL },
        { "2001:db8::g", NULL },
        { "192.0.2.1\0", "192.0.2.1" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
    };
    char text[ADDRESS_TEXT_SIZE];
    address_t address;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool good = address_parse(cases[i].from, strlen(cases[i].from), &address);
        ok_named(good == (cases[i].to != NULL), cases[i].from);
        if (good)
            is_text(address_text(&address, text), cases[i].to);
    }
    ok(!address_parse("1.2.3.4\0x", 9, &address));
}

static void test_subject(void)
{
    static const char *const cases[][2] = {
        { "192.0.2.1", "address:192.0.2.1" },
        { "2001:db8:1:abcd:1::1", "address:2001:db8:1:ab00::/56" },
        { "2001:db8:1:abff:2::2", "address:2001:db8:1:ab00::/56" },
        { "2001:db8:1:ac00::", "address:2001:db8:1:ac00::/56" },
        { "::1", "address:::/56" },
    };
    char text[ADDRESS_SUBJECT_SIZE];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        address_t address = s_address(cases[i][0]);
        is_text(address_subject(&address, text), cases[i][1]);
    }
}

static void test_networks(void)
{
    networks_t networks;
    char bad[ADDRESS_TEXT_SIZE + 8];
    static const struct {
        const char *address;
        bool is_in;
    } cases[] = {
        { "10.1.2.3", true },     { "10.255.0.0", true },      { "11.0.0.0", false },
        { "192.0.2.7", true },    { "192.0.2.8", false },      { "172.16.0.0", true },
        { "172.31.255.1", true }, { "172.32.0.0", false },     { "2001:db8::5", true },
        { "2001:db9::5", false }, { "::ffff:10.0.0.1", true },
    };
    ok(networks_read(&networks, "10.0.0.0/8, 192.0.2.7 172.16.0.0/12 2001:db8::/32", bad));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        address_t address = s_address(cases[i].address);
        ok_named(networks_have(&networks, &address) == cases[i].is_in, cases[i].address);
    }
    address_t any = s_address("203.0.113.1");
    ok(networks_read(&networks, "", bad) && !networks_have(&networks, &any));
    ok(networks_read(&networks, "0.0.0.0/0", bad) && networks_have(&networks, &any));
    static const char *const wrong[] = { "10.0.0.0/33", "10.0.0/8",  "2001:db8::/129", "host",
                                         "10.0.0.0/-1", "10.0.0.0/", "10.0.0.1:80" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        ok_named(!networks_read(&networks, wrong[i], bad), wrong[i]);
        is_text(bad, wrong[i]);
    }
}

static void test_caller(void)
{
    static const struct {
        const char *peer, *forwarded, *caller;
    } cases[] = {
        { "203.0.113.9", NULL, "203.0.113.9" },
        { "203.0.113.9", "198.51.100.1", "203.0.113.9" }, /* nobody trusted said so */
        { "10.0.0.1", NULL, "10.0.0.1" },
        { "10.0.0.1", "198.51.100.1", "198.51.100.1" },
        { "10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1" }, /* the first is the client's lie */
        { "10.0.0.1", "198.51.100.1 ,10.0.0.2", "198.51.100.1" },
        { "10.0.0.1", "2001:db8::7", "2001:db8::7" },
        { "10.0.0.1", "198.51.100.1, unknown", "10.0.0.1" },
        { "10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2" },
        { "10.0.0.1", "", "10.0.0.1" },
        { "10.0.0.1", ",", "10.0.0.1" },
        { "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3" },
    };
    networks_t trusted;
    char bad[ADDRESS_TEXT_SIZE + 8], text[ADDRESS_TEXT_SIZE];
    ok(networks_read(&trusted, "10.0.0.0/8", bad));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        address_t peer = s_address(cases[i].peer);
        address_t caller = address_of_caller(&peer, cases[i].forwarded, &trusted);
        is_text(address_text(&caller, text), cases[i].caller);
    }
}

TESTS({ "text", test_text }, { "subject", test_subject }, { "networks", test_networks },
      { "caller", test_caller })
