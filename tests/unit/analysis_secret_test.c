/* SPDX-License-Identifier: MPL-2.0
 *
 * Which texts hold a credential, and which only look like it. The examples are made up here, and
 * put together at run time, so that nobody's scanner takes them for real ones.
 */
#include "config.h"

#include "actors/analysis/address.h"
#include "actors/analysis/secret.h"
#include "actors/base/arena.h"
#include "tests/tap.h"

#define RANDOM_20 "q7Zt4mWc9Lx2Vb8Rk3Ns"
#define RANDOM_35 "q7Zt4mWc9Lx2Vb8Rk3NsH1d5Fg6Jp0Ty4Eu"
#define RANDOM_48 "q7Zt4mWc9Lx2Vb8Rk3NsH1d5Fg6Jp0Ty4EuQw8Za2Sx6Cd3V"

static void texts(void)
{
    static const struct {
        const char *name, *label;
        const char *parts[3];
        bool secret;
    } cases[] = {
        { "an OpenAI key", "", { "sk-", "proj-", RANDOM_48 }, true },
        { "an OpenAI key in a sentence", "", { "use sk-", RANDOM_48, " here" }, true },
        { "an AWS key", "", { "AKI", "A", "Q7ZT4MWC9LX2VB8R" }, true },
        { "at the end of a sentence", "", { "It is AKI", "A", "Q7ZT4MWC9LX2VB8R." }, true },
        { "a Google key", "", { "key=AI", "za", RANDOM_35 }, true },
        { "a bot token in an address",
          "",
          { "https://api.telegram.org/bot123456789", ":", RANDOM_35 },
          true },
        { "a password in an address",
          "",
          { "postgres://app:", "t0pZ4kq9Wm2", "@db.acme.dev/x" },
          true },
        { "a random text under a telling name", "X-Api-Key", { RANDOM_20, "", "" }, true },
        { "the same with its scheme", "Authorization", { "Bearer ", RANDOM_20, "" }, true },
        { "the same under another name", "documentId", { RANDOM_48, "", "" }, false },
        { "a placeholder", "X-Api-Key", { "YOUR_", "API_KEY_1234567890", "" }, false },
        { "a placeholder with a prefix",
          "",
          { "sk-", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "" },
          false },
        { "an expression", "Authorization", { "=Bearer {{ $json.token }}", "", "" }, false },
        { "a sentence", "secret", { "the password is kept in the safe", "", "" }, false },
        { "a long word", "token", { "internationalisation-of-everything", "", "" }, false },
        { "an example address", "", { "https://user:", "password", "@db.acme.dev/x" }, false },
        { "an address with a port", "", { "https://acme.dev:8080/a@b", "", "" }, false },
        { "a number of tokens", "max_tokens", { RANDOM_20, "", "" }, false },
        { "too short", "apiKey", { "q7Zt4mWc9", "", "" }, false },
        { "nothing", "apiKey", { "", "", "" }, false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[300];
        secret_t found;
        uint32_t from = 0;
        snprintf(text, sizeof text, "%s%s%s", cases[i].parts[0], cases[i].parts[1],
                 cases[i].parts[2]);
        bool is = secret_next(slice_literal(text), slice_literal(cases[i].label), &from, &found);
        ok_named(is == cases[i].secret, cases[i].name);
        if (is)
            ok_named(
                !secret_next(slice_literal(text), slice_literal(cases[i].label), &from, &found),
                "... once");
    }
}

static void several(void)
{
    char text[300];
    secret_t found;
    uint32_t from = 0;
    int count = 0;
    snprintf(text, sizeof text, "sk-%s and then gsk_%s.", RANDOM_48, RANDOM_48);
    while (secret_next(slice_literal(text), slice_literal(""), &from, &found))
        count++;
    is_int(count, 2);
    is_text(found.prefix, "gsk_");
}

/* The key for browsers is in every page that uses the service; a server's key is not. */
static void public_tokens(void)
{
    static const struct {
        const char *claims; /* base64url of {"role":"..."} and more */
        bool secret;
    } cases[] = {
        { "eyJyb2xlIjoiYW5vbiIsInJlZiI6InFxcSIsImV4cCI6MTkwMDAwMDAwMH0", false },
        { "eyJyb2xlIjoic2VydmljZV9yb2xlIiwicmVmIjoicXFxIiwiZXhwIjoxOTAwMH0", true },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[300];
        secret_t found;
        uint32_t from = 0;
        snprintf(text, sizeof text, "%s.%s.%s", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
                 cases[i].claims, RANDOM_35);
        ok(secret_next(slice_literal(text), slice_literal(""), &from, &found) == cases[i].secret);
    }
}

static void private_keys(void)
{
    arena_t arena = { 0 };
    char body[400], hash[SECRET_HASH_SIZE];
    secret_t found;
    uint32_t from = 0;

    memset(body, 'Q', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    const char *text = arena_format(&arena, "-----BEGIN %s KEY-----\n%s\n-----END %s KEY-----",
                                    "PRIVATE", body, "PRIVATE");
    ok(secret_next(slice_literal(text), slice_literal(""), &from, &found));
    is_text(found.what, "a private key");
    is_int(strlen(secret_hash(found.text, hash)), 8);
    from = 0;
    text = arena_format(&arena, "-----BEGIN %s KEY-----\n...\n-----END", "PRIVATE");
    ok(!secret_next(slice_literal(text), slice_literal(""), &from, &found));
    arena_free(&arena);
}

static void hosts(void)
{
    static const struct {
        const char *url, *host;
        bool is_public;
    } cases[] = {
        { "http://rates.dev/a", "rates.dev", true },
        { "=http://rates.dev:8080?x", "rates.dev", true },
        { "http://me:word@rates.dev#a", "rates.dev", true },
        { "http://8.8.8.8/", "8.8.8.8", true },
        { "http://172.32.0.1/", "172.32.0.1", true },
        { "http://172.16.0.1/", "172.16.0.1", false },
        { "http://192.168.1.4/", "192.168.1.4", false },
        { "http://localhost/", "localhost", false },
        { "http://db/", "db", false },
        { "http://nas.local/", "nas.local", false },
        { "http://example.com/", "example.com", false },
        { "http://your-host.dev/", "your-host.dev", false },
        { "http://{{ $json.host }}/", "", false },
        { "=http://{{ $json.host }}.acme.dev/", "", false },
        { "see http://rates.dev for more", "", false },
        { "no address", "", false },
        { "", "", false },
        { "http://", "", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        slice_t host = address_host(slice_literal(cases[i].url));
        ok_named(slice_is(host, cases[i].host) && address_is_public(host) == cases[i].is_public,
                 *cases[i].url ? cases[i].url : "(empty)");
    }
}

TESTS({ "texts", texts }, { "several", several }, { "public tokens", public_tokens },
      { "private keys", private_keys }, { "hosts", hosts })
