/* SPDX-License-Identifier: MPL-2.0
 *
 * Signatures of webhooks, made and verified; tests/it/outbound_calls.py verifies with other code.
 */
#include "config.h"

#include "actors/base/text.h"
#include "actors/jobs/outbound/signature.h"
#include "tests/tap.h"

#define NOW INT64_C(1614265330)

static const char s_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char s_body[] = "{\"test\": 2432232314}";
static const char s_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";

static signature_key_t s_key(const char *text)
{
    signature_key_t key;
    insist(signature_read_key(&key, text));
    return key;
}

/* The vector of the Standard Webhooks project. */
static void test_standard(void)
{
    const signature_key_t key = s_key(s_secret);
    buf_t out = { 0 };
    signature_write(&out, &key, 1, s_id, NOW, s_body, strlen(s_body));
    is_text(buf_text(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    buf_free(&out);
}

static signature_verdict_t s_verify(const char *signature, const signature_key_t *keys,
                                    size_t count, int64_t now_s)
{
    const signature_message_t message = { .id = s_id,
                                          .timestamp = "1614265330",
                                          .signature = signature,
                                          .body = s_body,
                                          .size = strlen(s_body) };
    return signature_verify(SIGNATURE_STANDARD, &message, keys, count, now_s);
}

static void test_rotation(void)
{
    char made[SIGNATURE_TEXT_SIZE];
    const signature_key_t old = s_key(s_secret), new = s_key(signature_new_secret(made));
    const signature_key_t both[] = { new, old };
    buf_t out = { 0 };
    signature_write(&out, both, 2, s_id, NOW, s_body, strlen(s_body));
    is_int(s_verify(buf_text(&out), &old, 1, NOW), SIGNATURE_GOOD);
    is_int(s_verify(buf_text(&out), &new, 1, NOW), SIGNATURE_GOOD);
    out.size = 0;
    signature_write(&out, &new, 1, s_id, NOW, s_body, strlen(s_body));
    is_int(s_verify(buf_text(&out), &old, 1, NOW), SIGNATURE_WRONG);
    is_int(s_verify(buf_text(&out), both, 2, NOW), SIGNATURE_GOOD);
    buf_free(&out);
}

static void test_refused(void)
{
    static const char good[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    static const struct {
        const char *signature;
        int64_t now_s;
        signature_verdict_t verdict;
    } cases[] = {
        { good, NOW, SIGNATURE_GOOD },
        { good, NOW + 300, SIGNATURE_GOOD },
        { good, NOW + 301, SIGNATURE_STALE },
        { good, NOW - 301, SIGNATURE_STALE },
        { "v1a,xxxx v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NOW, SIGNATURE_GOOD },
        { "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", NOW, SIGNATURE_WRONG },
        { "v1,g0hM9SsE", NOW, SIGNATURE_WRONG },
        { "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", NOW, SIGNATURE_MISSING },
        { "", NOW, SIGNATURE_MISSING },
        { NULL, NOW, SIGNATURE_MISSING },
    };
    const signature_key_t key = s_key(s_secret);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(s_verify(cases[i].signature, &key, 1, cases[i].now_s) == cases[i].verdict,
                 cases[i].signature ? cases[i].signature : "none");
}

/* HMAC-SHA256 of "1614265330.{...}" and of the body alone under "whsec_test", by openssl dgst. */
static void test_stripe_and_plain(void)
{
    static const struct {
        signature_scheme_t scheme;
        const char *signature;
        int64_t now_s;
        signature_verdict_t verdict;
    } cases[] = {
        { SIGNATURE_STRIPE,
          "t=1614265330,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d,v0=00",
          NOW, SIGNATURE_GOOD },
        { SIGNATURE_STRIPE,
          "t=1614265330,v1=00,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d",
          NOW, SIGNATURE_GOOD },
        { SIGNATURE_STRIPE,
          "t=1614265331,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d", NOW,
          SIGNATURE_WRONG },
        { SIGNATURE_STRIPE,
          "t=1614265330,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d",
          NOW + 301, SIGNATURE_STALE },
        { SIGNATURE_STRIPE, "v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d",
          NOW, SIGNATURE_MISSING },
        { SIGNATURE_STRIPE, "t=1614265330", NOW, SIGNATURE_MISSING },
        { SIGNATURE_STRIPE,
          "t=soon,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d", NOW,
          SIGNATURE_MISSING },
        { SIGNATURE_PLAIN, "cf25188d899b98d49c5c63156799cead0ff540b3cb494261baba64d75b30d8b8", NOW,
          SIGNATURE_GOOD },
        { SIGNATURE_PLAIN,
          "sha256=cf25188d899b98d49c5c63156799cead0ff540b3cb494261baba64d75b30d8b8", 0,
          SIGNATURE_GOOD },
        { SIGNATURE_PLAIN, "sha1=cf25188d899b98d49c5c63156799cead0ff540b3cb494261baba64d75b30d8b8",
          NOW, SIGNATURE_WRONG },
        { SIGNATURE_PLAIN, "00", NOW, SIGNATURE_WRONG },
    };
    signature_key_t key;
    ok(signature_plain_key(&key, "whsec_test"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const signature_message_t message = { .signature = cases[i].signature,
                                              .body = s_body,
                                              .size = strlen(s_body) };
        ok_named(signature_verify(cases[i].scheme, &message, &key, 1, cases[i].now_s) ==
                     cases[i].verdict,
                 cases[i].signature);
    }
}

static void test_keys(void)
{
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAA==", true }, /* 16 bytes */
        { "whsec_AAAAAAAAAAAAAAAAAAAA", false },    /* 15 */
        { "whsec_not base64", false },
        { "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false },
        { "whsec_", false },
        { "", false },
    };
    signature_key_t key;
    char one[SIGNATURE_TEXT_SIZE], other[SIGNATURE_TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(signature_read_key(&key, cases[i].text) == cases[i].is_good, cases[i].text);
    signature_new_secret(one);
    signature_new_secret(other);
    ok(strcmp(one, other) != 0 && text_starts(one, "whsec_"));
    ok(signature_read_key(&key, one) && key.size == SIGNATURE_SECRET_BYTES);
    ok(!signature_plain_key(&key, ""));
}

TESTS({ "standard", test_standard }, { "rotation", test_rotation }, { "refused", test_refused },
      { "stripe and plain", test_stripe_and_plain }, { "keys", test_keys })
