/* SPDX-License-Identifier: MPL-2.0
 *
 * One-time passwords by the vectors of RFC 6238, and the challenge between password and code.
 */
#include "config.h"

#include "actors/auth/challenge.h"
#include "actors/auth/totp.h"
#include "tests/tap.h"

static const uint8_t s_secret[TOTP_SECRET_BYTES] = "12345678901234567890";

/* RFC 6238, appendix B, SHA-1: the last six of the eight digits. */
static void test_vectors(void)
{
    static const struct {
        int64_t seconds;
        const char *code;
    } cases[] = {
        { 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
        { 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char code[TOTP_DIGITS + 1];
        const int64_t step = cases[i].seconds * 1000 / TOTP_STEP_MS;
        totp_code(s_secret, step, code);
        is_text(code, cases[i].code);
        is_int(totp_step(s_secret, cases[i].code, cases[i].seconds * 1000, 0), step);
    }
}

static void test_window(void)
{
    static const struct {
        int64_t offset_ms; /* of the clock to the code's step */
        bool good;
    } cases[] = {
        { -60000, false }, { -30001, false }, { -30000, true }, { -1, true },     { 0, true },
        { 29999, true },   { 59999, true },   { 60000, false }, { 90000, false },
    };
    const int64_t step = 41152263, at_ms = step * TOTP_STEP_MS;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t found = totp_step(s_secret, "005924", at_ms + cases[i].offset_ms, 0);
        is_int(found, cases[i].good ? step : 0);
    }
    is_int(totp_step(s_secret, "005924", at_ms, step - 1), step);
    is_int(totp_step(s_secret, "005924", at_ms, step), 0); /* it was taken */
    static const char *const wrong[] = { "", "5924", "005925", "0059244", "00592a", "0x5924" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        is_int(totp_step(s_secret, wrong[i], at_ms, 0), 0);
}

static void test_texts(void)
{
    arena_t arena = { 0 };
    is_text(totp_base32(&arena, s_secret, sizeof s_secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    is_text(totp_uri(&arena, "Signal box", "ada+1@example.dev", "GEZD"),
            "otpauth://totp/Signal%20box:ada%2B1%40example.dev?secret=GEZD&issuer=Signal%20box"
            "&algorithm=SHA1&digits=6&period=30");
    arena_free(&arena);
}

static void test_challenge(void)
{
    static const char id[] = "01890000-0000-7000-8000-000000000001", stored[] = "$argon2id$one";
    char text[CHALLENGE_SIZE], other[CHALLENGE_SIZE], why[200];
    vault_t vault, stranger;
    challenge_t read;
    ok(vault_open(&vault, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "",
                  why, sizeof why));
    ok(vault_open(&stranger, "10112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "",
                  why, sizeof why));
    const challenge_t made = challenge_make(id, stored, 1000);
    challenge_write(&made, &vault, text);
    ok(challenge_read(&read, &vault, text, 1000 + CHALLENGE_MS - 1));
    is_text(read.user_id, id);
    ok(challenge_is_of(&read, stored) && !challenge_is_of(&read, "$argon2id$two"));
    ok(!challenge_read(&read, &vault, text, 1000 + CHALLENGE_MS));
    ok(!challenge_read(&read, &stranger, text, 1000));
    for (size_t i = 0; i < strlen(text); i += 7) {
        memcpy(other, text, sizeof other);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        ok_named(!challenge_read(&read, &vault, other, 1000), "a changed one");
        other[i] = '\0';
        ok_named(!challenge_read(&read, &vault, other, 1000), "a cut one");
    }
    vault_close(&vault);
    vault_close(&stranger);
}

TESTS({ "vectors", test_vectors }, { "window", test_window }, { "texts", test_texts },
      { "challenge", test_challenge })
