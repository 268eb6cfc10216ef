/* SPDX-License-Identifier: MPL-2.0
 *
 * Which URLs are read, and what of them is the host.
 */
#include "config.h"

#include "actors/jobs/outbound/url.h"
#include "tests/tap.h"

static void test_read(void)
{
    static const struct {
        const char *text, *host, *target, *whole; /* whole NULL: as it was */
        bool is_tls, is_address;
    } cases[] = {
        { "https://example.com/hook?a=b", "example.com", "example.com:443", NULL, true, false },
        { "http://EXAMPLE.com", "example.com", "example.com:80", "http://example.com/", false,
          false },
        { "https://example.com:8443/x#part", "example.com", "example.com:8443",
          "https://example.com:8443/x", true, false },
        { "http://127.0.0.1:8080/", "127.0.0.1", "127.0.0.1:8080", NULL, false, true },
        { "http://[2001:db8::1]/", "2001:db8::1", "[2001:db8::1]:80", NULL, false, true },
        { "http://[::ffff:10.0.0.1]:81/", "::ffff:10.0.0.1", NULL, NULL, false, true },
        /* what some take for names are addresses */
        { "http://2130706433/", "127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/", false, true },
        { "http://0x7f.1/", "127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/", false, true },
        { "http://0177.0.0.1/", "127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/", false, true },
    };
    url_t url;
    char why[URL_WHY_SIZE] = "";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!ok_named(url_read(&url, cases[i].text, URL_WEB, why), cases[i].text)) {
            note("%s", why);
            continue;
        }
        is_text(url.host, cases[i].host);
        if (cases[i].target)
            is_text(url.target, cases[i].target);
        is_text(url.text, cases[i].whole ? cases[i].whole : cases[i].text);
        ok(url.is_tls == cases[i].is_tls && url.is_address == cases[i].is_address);
    }
}

static void test_refused(void)
{
    static const char *const cases[][2] = {
        { "", "no URL" },
        { "example.com", "no URL" },
        { "ftp://example.com/", "scheme" },
        { "file:///etc/passwd", "scheme" },
        { "gopher://example.com/_x", "scheme" },
        { "dict://127.0.0.1:11211/", "scheme" },
        { "javascript:alert(1)", "URL" },
        { "smtp://example.com/", "scheme" },
        { "https://ada@example.com/", "password" },
        { "https://ada:secret@example.com/", "password" },
        { "https://@example.com/", "password" },
        { "https://", "URL" },
        { "https://b\xc3\xbc"
          "cher.example/",
          "ASCII" },
        { "https://example.com:0/", "port" },
        { "https://example.com:65536/", "URL" },
        { "https://exa mple.com/", "spaces" },
        { "https://example.com/\r\nHost: inside", "spaces" },
        { "http://[fe80::1%25eth0]/", "zone" },
        { "http://[::1", "URL" },
    };
    url_t url;
    char why[URL_WHY_SIZE], text[URL_BYTES_MAX + 40];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool good = url_read(&url, cases[i][0], URL_WEB, why);
        if (!ok_named(!good && strstr(why, cases[i][1]), cases[i][0]))
            note("%s", good ? url.text : why);
    }
    memset(text, 'a', sizeof text);
    memcpy(text, "http://example.com/", 19);
    text[URL_BYTES_MAX] = '\0';
    ok(url_read(&url, text, URL_WEB, why));
    text[URL_BYTES_MAX] = 'a';
    text[URL_BYTES_MAX + 1] = '\0';
    ok(!url_read(&url, text, URL_WEB, why));
}

static void test_mail(void)
{
    url_t url;
    char why[URL_WHY_SIZE];
    ok(url_read(&url, "smtp://mail.example.com:587", URL_MAIL, why) && !url.is_tls);
    is_text(url.target, "mail.example.com:587");
    ok(url_read(&url, "smtps://mail.example.com", URL_MAIL, why) && url.is_tls);
    is_int(url.port, 465);
    ok(!url_read(&url, "https://mail.example.com", URL_MAIL, why));
}

TESTS({ "read", test_read }, { "refused", test_refused }, { "mail", test_mail })
