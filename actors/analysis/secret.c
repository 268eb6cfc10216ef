/* SPDX-License-Identifier: MPL-2.0
 *
 * secret - credentials written into a text
 *
 * The forms are those the services document, and the ones GitHub's secret scanning lists. One pass
 * cuts a text into runs of the letters that keys are made of and asks the table about each.
 */
#include "config.h"

#include <math.h>

#include <sodium.h>

#include "actors/analysis/secret.h"
#include "actors/base/id.h"

#define SECRET_RUN_MIN   16
#define SECRET_RUN_MAX   4096 /* longer runs are data */
#define SECRET_LABEL_MIN 20   /* of a text that only its label makes a secret */
#define SECRET_KEY_MAX   8192 /* of a private key's text */
#define SECRET_ENTROPY   3.2  /* bits a letter, from which on a text looks random */

typedef struct {
    const char *prefix;
    const char *what;
    uint32_t least, most; /* letters behind the prefix */
} form_t;

/* Longer prefixes before shorter ones that begin them. */
static const form_t s_forms[] = {
    { "sk-proj-", "an OpenAI key", 40, 200 },
    { "sk-ant-", "an Anthropic key", 40, 200 },
    { "sk-or-v1-", "an OpenRouter key", 40, 100 },
    { "sk-", "an OpenAI key", 32, 100 },
    { "sk_live_", "a Stripe key", 16, 120 },
    { "rk_live_", "a Stripe key", 16, 120 },
    { "AKIA", "an AWS access key", 16, 16 },
    { "ASIA", "an AWS access key", 16, 16 },
    { "AIza", "a Google API key", 35, 35 },
    { "GOCSPX-", "a Google OAuth secret", 20, 40 },
    { "ya29.", "a Google access token", 40, 400 },
    { "ghp_", "a GitHub token", 36, 40 },
    { "gho_", "a GitHub token", 36, 40 },
    { "ghs_", "a GitHub token", 36, 40 },
    { "github_pat_", "a GitHub token", 60, 90 },
    { "glpat-", "a GitLab token", 20, 40 },
    { "xoxb-", "a Slack token", 20, 100 },
    { "xoxp-", "a Slack token", 20, 100 },
    { "xapp-", "a Slack token", 20, 120 },
    { "SG.", "a SendGrid key", 50, 80 },
    { "xkeysib-", "a Brevo key", 60, 100 },
    { "hf_", "a Hugging Face token", 30, 40 },
    { "gsk_", "a Groq key", 40, 60 },
    { "pplx-", "a Perplexity key", 40, 60 },
    { "apify_api_", "an Apify token", 30, 50 },
    { "tvly-", "a Tavily key", 20, 60 },
    { "shpat_", "a Shopify token", 32, 40 },
    { "dop_v1_", "a DigitalOcean token", 60, 70 },
    { "npm_", "an npm token", 36, 36 },
    { "pat-na1-", "a HubSpot token", 30, 50 },
    { "ntn_", "a Notion token", 40, 60 },
    { "secret_", "a Notion token", 43, 43 },
};

static const char *const s_placeholders[] = {
    "your",     "xxx",     "example", "placeholder", "replace", "insert", "dummy",
    "sample",   "fake",    "change",  "_here",       "-here",   "todo",   "abcdef",
    "redacted", "removed", "123456",  "...",         "demo",    "token_", "api_key",
    "apikey",   "my-",     "my_",     "secret_key",  NULL
};

static bool s_is_letter(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '.';
}

/* Shannon's entropy of the letters, with a digit and a letter among them: words and numbers fail.
 */
static bool s_is_random(slice_t text)
{
    uint32_t counts[256] = { 0 };
    bool digit = false, letter = false;
    double bits = 0;

    for (uint32_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.text[i];
        counts[c]++;
        digit |= c >= '0' && c <= '9';
        letter |= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (counts[i]) {
            double share = (double)counts[i] / text.size;
            bits -= share * log2(share);
        }
    return digit && letter && bits >= SECRET_ENTROPY;
}

static bool s_is_credible(slice_t body)
{
    return s_is_random(body) && !slice_has_any(body, s_placeholders);
}

/* ---- forms ----------------------------------------------------------------------------------- */

static bool s_match_form(slice_t run, secret_t *found)
{
    for (size_t i = 0; i < COUNT_OF(s_forms); i++) {
        const form_t *form = &s_forms[i];
        if (!slice_starts(run, form->prefix))
            continue;
        slice_t body = slice_after(run, strlen(form->prefix));
        if (body.size < form->least || body.size > form->most || !s_is_credible(body))
            return false;
        *found = (secret_t){ form->what, form->prefix, run };
        return true;
    }
    return false;
}

/* The middle part of a JSON web token says whose it is. Keys that a browser gets (Supabase's
 * "anon") are public, and one token is in every tutorial. */
static bool s_match_jwt(slice_t run, secret_t *found)
{
    const char *dot = memchr(run.text, '.', run.size);
    unsigned char claims[1024];
    size_t size = 0;

    if (!slice_starts(run, "eyJ") || !dot)
        return false;
    slice_t rest = slice_after(run, (size_t)(dot - run.text) + 1);
    const char *second = memchr(rest.text, '.', rest.size);
    if (!slice_starts(rest, "eyJ") || !second || run.size < 80)
        return false;
    sodium_base642bin(claims, sizeof claims, rest.text, (size_t)(second - rest.text), NULL, &size,
                      NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    slice_t says = slice_make((const char *)claims, size);
    if (slice_has(says, "\"anon\"") || slice_has(says, "John Doe"))
        return false;
    *found = (secret_t){ "a JSON web token", "eyJ", run };
    return true;
}

/* The token of a Telegram bot: its number, a colon, 35 letters. `run` is the part behind the colon.
 */
static bool s_match_bot(slice_t text, slice_t run, secret_t *found)
{
    const char *at = run.text;
    uint32_t digits = 0;

    if (run.size != 35 || at - text.text < 9 || at[-1] != ':')
        return false;
    while (at - 1 - digits > text.text && at[-2 - (ptrdiff_t)digits] >= '0' &&
           at[-2 - (ptrdiff_t)digits] <= '9')
        digits++;
    if (digits < 8 || digits > 10 || !s_is_credible(run))
        return false;
    *found = (secret_t){ "a Telegram bot token", "",
                         slice_make(at - 1 - digits, run.size + 1 + digits) };
    return true;
}

/* ---- other places ---------------------------------------------------------------------------- */

/* A password in an address: "://name:password@". `at` is behind "://". */
static bool s_match_address(slice_t text, uint32_t at, secret_t *found)
{
    slice_t rest = slice_cut(slice_after(text, at), 200);
    uint32_t colon = 0, end = 0;

    while (end < rest.size && !memchr("/?# \n\"'<>{}@", rest.text[end], 12)) {
        if (rest.text[end] == ':' && !colon)
            colon = end;
        end++;
    }
    if (!colon || end >= rest.size || rest.text[end] != '@' || end - colon < 9)
        return false;
    slice_t password = slice_make(rest.text + colon + 1, end - colon - 1);
    if (slice_has_any(password, s_placeholders) || slice_has_folded(password, "pass") ||
        slice_has_folded(password, "secret"))
        return false;
    *found = (secret_t){ "a password in an address", "", password };
    return true;
}

static bool s_match_private_key(slice_t text, uint32_t at, secret_t *found)
{
    slice_t rest = slice_cut(slice_after(text, at), SECRET_KEY_MAX);
    const char *end;
    if (!slice_starts(rest, "-----BEGIN ") || !slice_has(slice_cut(rest, 40), "PRIVATE KEY-----") ||
        !(end = slice_find(rest, "-----END ")) || end - rest.text < 200)
        return false;
    *found = (secret_t){ "a private key", "-----BEGIN",
                         slice_make(rest.text, (size_t)(end - rest.text)) };
    return true;
}

/* A text that only its name makes a secret: one random-looking word, perhaps behind its scheme. */
static bool s_match_label(slice_t text, slice_t label, secret_t *found)
{
    static const char *const names[] = { "authorization", "api-key",  "apikey",
                                         "api_key",       "x-auth",   "token",
                                         "secret",        "password", NULL };
    static const char *const schemes[] = { "Bearer ", "Basic ", "Token ", "token ", NULL };
    static const char *const not_names[] = { "tokens",    "pagetoken",  "page_token",
                                             "nexttoken", "tokenlimit", NULL };

    if (!slice_has_any(label, names) || slice_has_any(label, not_names))
        return false;
    for (const char *const *scheme = schemes; *scheme; scheme++)
        if (slice_starts(text, *scheme))
            text = slice_after(text, strlen(*scheme));
    if (text.size < SECRET_LABEL_MIN || text.size > SECRET_RUN_MAX)
        return false;
    for (uint32_t i = 0; i < text.size; i++)
        if (!s_is_letter(text.text[i]) && !memchr("+/=:", text.text[i], 4))
            return false;
    if (!s_is_credible(text) || slice_has(text, "://") || slice_starts(text, "="))
        return false;
    *found = (secret_t){ "a secret", "", text };
    return true;
}

/* ---- the pass -------------------------------------------------------------------------------- */

static bool s_match_run(slice_t text, slice_t run, secret_t *found)
{
    if (run.size < SECRET_RUN_MIN || run.size > SECRET_RUN_MAX)
        return false;
    return s_match_form(run, found) || s_match_jwt(run, found) || s_match_bot(text, run, found);
}

/* What begins at a letter that keys are not made of. */
static bool s_match_mark(slice_t text, uint32_t at, secret_t *found)
{
    slice_t rest = slice_after(text, at);
    return slice_starts(rest, "://") && s_match_address(text, at + 3, found);
}

bool secret_next(slice_t text, slice_t label, uint32_t *from, secret_t *found)
{
    if (text.size < SECRET_RUN_MIN)
        return false;
    for (uint32_t at = *from; at < text.size;) {
        if (!s_is_letter(text.text[at])) {
            if (text.text[at] == ':' && s_match_mark(text, at, found)) {
                *from = (uint32_t)(found->text.text - text.text) + found->text.size;
                return true;
            }
            at++;
            continue;
        }
        uint32_t end = at;
        while (end < text.size && s_is_letter(text.text[end]))
            end++;
        slice_t run = slice_make(text.text + at, end - at);
        while (slice_ends(run, ".")) /* of a sentence */
            run.size--;
        if (s_match_run(text, run, found) || s_match_private_key(text, at, found)) {
            *from = (uint32_t)(found->text.text - text.text) + found->text.size;
            *from = *from > end ? *from : end;
            return true;
        }
        at = end;
    }
    bool whole = *from == 0 && s_match_label(text, label, found);
    *from = text.size;
    return whole;
}

const char *secret_hash(slice_t secret, char hash[SECRET_HASH_SIZE])
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const uint8_t *)secret.text, secret.size);
    return id_hex(digest, (SECRET_HASH_SIZE - 1) / 2, hash);
}
