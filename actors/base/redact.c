/* SPDX-License-Identifier: MPL-2.0
 *
 * redact - keeps secrets out of what is written down
 *
 * A text is passed once; most of its bytes cost one look into a table, which says whether a form
 * may begin (or, for `key=value`, turn) there.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "actors/base/redact.h"

#define KEY_BYTES_MAX 64 /* of a name in front of '=' or ':' */

/* ---- names ---------------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    size_t size;
} word_t;

#define WORD(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

/* Words of so many letters are found at the end of others, too: PGPASSWORD. */
#define GLUED_BYTES 5

/* Words of names; what stands in the plural is named so. */
static const word_t s_words[] = {
    WORD("authorization"), WORD("cookie"),     WORD("credential"), WORD("credentials"),
    WORD("dsn"),           WORD("passphrase"), WORD("passwd"),     WORD("password"),
    WORD("passwords"),     WORD("pwd"),        WORD("secret"),     WORD("secrets"),
    WORD("token"),         WORD("tokens"),     WORD("apikey"),     WORD("totp"),
    WORD("otp"),           WORD("cookies"),    WORD("signature"),  WORD("privatekey"),
};

/* Two words that only together say it. */
static const struct {
    word_t first, second;
} s_pairs[] = { { WORD("api"), WORD("key") },       { WORD("private"), WORD("key") },
                { WORD("signing"), WORD("key") },   { WORD("access"), WORD("key") },
                { WORD("recovery"), WORD("code") }, { WORD("recovery"), WORD("codes") } };

static bool s_is_letter(char c)
{
    return ((unsigned char)c | 0x20) >= 'a' && ((unsigned char)c | 0x20) <= 'z';
}

static bool s_equals(word_t word, const word_t *other)
{
    return word.size == other->size && strncasecmp(word.text, other->text, word.size) == 0;
}

/* Most words have another last letter. */
static bool s_ends_as(word_t word, const word_t *other)
{
    if ((word.text[word.size - 1] | 0x20) != other->text[other->size - 1] ||
        word.size < other->size)
        return false;
    const size_t before = word.size - other->size;
    return (before == 0 || other->size >= GLUED_BYTES) &&
           strncasecmp(word.text + before, other->text, other->size) == 0;
}

static bool s_is_secret_word(word_t word)
{
    for (size_t i = 0; i < COUNT_OF(s_words); i++)
        if (s_ends_as(word, &s_words[i]))
            return true;
    return false;
}

static bool s_is_secret_pair(word_t first, word_t second)
{
    for (size_t i = 0; i < COUNT_OF(s_pairs); i++)
        if (s_equals(second, &s_pairs[i].second) && s_equals(first, &s_pairs[i].first))
            return true;
    return false;
}

bool redact_is_secret_key(const char *key, size_t size)
{
    word_t before = { 0 };
    for (size_t i = 0; i < size;) {
        if (!s_is_letter(key[i])) {
            i++;
            continue;
        }
        size_t end = i + 1;
        /* "apiKey" has two words, "APIKEY" and "Password" one */
        while (end < size && s_is_letter(key[end]) && !(key[end] <= 'Z' && key[end - 1] >= 'a'))
            end++;
        const word_t word = { key + i, end - i };
        if (s_is_secret_word(word) || s_is_secret_pair(before, word))
            return true;
        before = word;
        i = end;
    }
    return false;
}

/* ---- forms ---------------------------------------------------------------------------------- */

/* What the secret is made of, behind its prefix. */
typedef enum { OF_WORD, OF_BASE64, OF_JWT, OF_CREDENTIAL, OF_KEY_BLOCK } matter_t;

typedef struct {
    const char *prefix;
    uint32_t least; /* bytes behind it, from which on it is a secret */
    matter_t of;
    bool any_case;
} form_t;

static const form_t s_forms[] = {
    { "sbx_", 16, OF_WORD, false },        { "sbr_", 16, OF_WORD, false },
    { "sbi_", 16, OF_WORD, false },        { "sbp_", 16, OF_WORD, false },
    { "sbs_", 16, OF_WORD, false },        { "sbv_", 16, OF_WORD, false },
    { "sbc_", 16, OF_WORD, false },        { "whsec_", 8, OF_BASE64, false },
    { "sk_live_", 8, OF_WORD, false },     { "sk_test_", 8, OF_WORD, false },
    { "rk_live_", 8, OF_WORD, false },     { "rk_test_", 8, OF_WORD, false },
    { "sk-", 20, OF_WORD, false },         { "ghp_", 16, OF_WORD, false },
    { "gho_", 16, OF_WORD, false },        { "ghu_", 16, OF_WORD, false },
    { "ghs_", 16, OF_WORD, false },        { "ghr_", 16, OF_WORD, false },
    { "github_pat_", 16, OF_WORD, false }, { "glpat-", 12, OF_WORD, false },
    { "xoxb-", 10, OF_WORD, false },       { "xoxp-", 10, OF_WORD, false },
    { "xapp-", 10, OF_WORD, false },       { "AKIA", 16, OF_WORD, false },
    { "AIza", 30, OF_WORD, false },        { "SG.", 40, OF_WORD, false },
    { "npm_", 30, OF_WORD, false },        { "hf_", 30, OF_WORD, false },
    { "eyJ", 16, OF_JWT, false },          { "bearer ", 6, OF_CREDENTIAL, true },
    { "basic ", 6, OF_CREDENTIAL, true },  { "-----BEGIN ", 8, OF_KEY_BLOCK, false },
};

/* Which letters may follow the first one of a form, in either case: in ordinary text few pairs of
 * letters may begin one. */
#define LETTER(c) (1u << ((c)&31))
static const uint32_t s_second[256] = {
    ['s'] = LETTER('b') | LETTER('k'),
    ['w'] = LETTER('h'),
    ['r'] = LETTER('k'),
    ['g'] = LETTER('h') | LETTER('i') | LETTER('l'),
    ['x'] = LETTER('o') | LETTER('a'),
    ['A'] = LETTER('K') | LETTER('I'),
    ['S'] = LETTER('G'),
    ['n'] = LETTER('p'),
    ['h'] = LETTER('f'),
    ['e'] = LETTER('y'),
    ['b'] = LETTER('e') | LETTER('a'),
    ['B'] = LETTER('e') | LETTER('a'),
    ['-'] = LETTER('-'),
    /* where `key=value` and `scheme://user:password@host` turn: whatever follows */
    ['='] = UINT32_MAX,
    [':'] = UINT32_MAX,
    ['%'] = UINT32_MAX,
};

static bool s_may_begin(const char *text, size_t size, size_t at)
{
    const uint32_t second = s_second[(unsigned char)text[at]];
    return second && at + 1 < size && second & LETTER((unsigned char)text[at + 1]);
}

/* The letters that tokens are written in (RFC 6750's b64token, and '.' and '_'). */
static const bool s_is_token_byte[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['+'] = true,         ['/'] = true, ['='] = true,
};

static bool s_is_alphanumeric(char c)
{
    return s_is_letter(c) || (c >= '0' && c <= '9');
}

static bool s_is_word_byte(char c)
{
    return s_is_alphanumeric(c) || c == '_' || c == '-';
}

/* Such a prefix is no part of other words, so it is found behind anything ("%20sbx_live_..."). */
static bool s_is_distinct(const form_t *form)
{
    return strchr(form->prefix, '_') != NULL;
}

static size_t s_word_end(const char *text, size_t size, size_t at)
{
    while (at < size && (s_is_word_byte(text[at]) || text[at] == '.'))
        at++;
    return at;
}

static size_t s_token_end(const char *text, size_t size, size_t at)
{
    while (at < size && s_is_token_byte[(unsigned char)text[at]])
        at++;
    return at;
}

static bool s_match_form(const form_t *form, const char *text, size_t size, size_t at,
                         redact_span_t *span)
{
    const size_t prefix = strlen(form->prefix);
    if (size - at < prefix + form->least ||
        (form->any_case ? strncasecmp(text + at, form->prefix, prefix)
                        : strncmp(text + at, form->prefix, prefix)) != 0)
        return false;
    *span = (redact_span_t){ at, size };
    switch (form->of) {
    case OF_WORD:
        span->end = s_word_end(text, size, at);
        break;
    case OF_BASE64:
        span->end = s_token_end(text, size, at);
        break;
    case OF_JWT:
        span->end = s_word_end(text, size, at);
        return memchr(text + at, '.', span->end - at) != NULL;
    case OF_CREDENTIAL:
        span->begin = at + prefix;
        span->end = s_token_end(text, size, span->begin);
        return span->end - span->begin >= form->least;
    case OF_KEY_BLOCK: /* to the end, wherever that is */
        return true;
    }
    return span->end - at >= prefix + form->least;
}

/* How many bytes stand for the letter at `at`: itself, as it is escaped in a path (RFC 3986), or
 * in a JSON pointer (RFC 6901); 0: another letter does. */
static size_t s_letter_size(const char *text, size_t size, size_t at, char letter)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned code = (unsigned char)letter;
    if (at < size && text[at] == letter)
        return 1;
    if (letter == '/' && size - at >= 2 && text[at] == '~' && text[at + 1] == '1')
        return 2;
    return size - at >= 3 && text[at] == '%' && text[at + 1] == digits[code >> 4] &&
                   ((unsigned char)text[at + 2] | 0x20) == (unsigned char)digits[code & 15]
               ? 3
               : 0;
}

/* `scheme://user:password@host`, `at` being the first colon: all before the host. Keys are used as
 * the name of a user, too. */
static bool s_match_url(const char *text, size_t size, size_t at, redact_span_t *span)
{
    size_t begin = at, last = 0;
    for (const char *letter = "://"; *letter; letter++) {
        const size_t step = begin < size ? s_letter_size(text, size, begin, *letter) : 0;
        if (!step)
            return false;
        begin += step;
    }
    for (size_t end = begin; end < size && !strchr("/?# \t\r\n\"'<>", text[end]); end++)
        if (s_letter_size(text, size, end, '@'))
            last = end;
    *span = (redact_span_t){ begin, last };
    return last > begin;
}

static size_t s_backslashes(const char *text, size_t from, size_t at)
{
    size_t count = 0;
    while (at - count > from && text[at - count - 1] == '\\')
        count++;
    return count;
}

/* Where the text ends that a quote at `quote` opens, whatever it holds. The quote is escaped with
 * `level` backslashes when it stands in JSON that is a text of JSON itself (0, 1, 3, 7 ...); the
 * one that closes it has as many, behind an even number of backslashes escaped likewise. */
static size_t s_quoted_end(const char *text, size_t size, size_t quote, size_t level)
{
    for (size_t at = quote + 1; at < size; at++) {
        if (text[at] != text[quote])
            continue;
        const size_t count = s_backslashes(text, quote + 1, at);
        if (count % (2 * level + 2) == level)
            return at - level;
    }
    return size;
}

static size_t s_bare_end(const char *text, size_t size, size_t at)
{
    while (at < size && !strchr("&;, \t\r\n\"'<>}\\", text[at]))
        at++;
    return at;
}

static size_t s_bracketed_end(const char *text, size_t size, size_t at, char closing)
{
    const char *end = memchr(text + at, closing, size - at);
    return end ? (size_t)(end - text) + 1 : size;
}

/* The value that begins at `at`, behind so many backslashes. Empty quotes are no value, or part of
 * one that is quoted otherwise than JSON does it. */
static redact_span_t s_value(const char *text, size_t size, size_t at, size_t level)
{
    redact_span_t span = { at, at };
    if (at < size && (text[at] == '[' || text[at] == '{'))
        span.end = s_bracketed_end(text, size, at, text[at] == '[' ? ']' : '}');
    else if (at < size && (text[at] == '"' || text[at] == '\''))
        span = (redact_span_t){ at + 1, s_quoted_end(text, size, at, level) };
    if (span.end > span.begin)
        return span;
    while (at < size && (text[at] == '"' || text[at] == '\'' || text[at] == '\\'))
        at++;
    return (redact_span_t){ at, s_bare_end(text, size, at) };
}

/* `password=...`, `"token": "..."`, `at` being '=' or ':'. A colon counts only behind a quote:
 * "password: too short" is a sentence. */
static bool s_match_pair(const char *text, size_t size, size_t at, redact_span_t *span)
{
    size_t key_end = at, value = at + 1;
    bool is_quoted = key_end > 0 && (text[key_end - 1] == '"' || text[key_end - 1] == '\'');
    if (is_quoted)
        key_end--;
    else if (text[at] == ':')
        return false;
    while (key_end > 0 && text[key_end - 1] == '\\') /* JSON inside of JSON */
        key_end--;
    size_t key = key_end;
    while (key > 0 && key_end - key < KEY_BYTES_MAX && s_is_word_byte(text[key - 1]))
        key--;
    if (key == key_end || !redact_is_secret_key(text + key, key_end - key))
        return false;
    while (value < size && (text[value] == ' ' || text[value] == '\\'))
        value++;
    *span = s_value(text, size, value, s_backslashes(text, at + 1, value));
    return span->end > span->begin;
}

static bool s_match(const char *text, size_t size, size_t at, redact_span_t *span)
{
    if ((text[at] == ':' || text[at] == '%') && s_match_url(text, size, at, span))
        return true;
    if (text[at] == '%')
        return false;
    if (text[at] == ':' || text[at] == '=')
        return s_match_pair(text, size, at, span);
    const bool is_inside = at > 0 && s_is_alphanumeric(text[at - 1]);
    for (size_t i = 0; i < COUNT_OF(s_forms); i++)
        if (((unsigned char)s_forms[i].prefix[0] | 0x20) == ((unsigned char)text[at] | 0x20) &&
            (!is_inside || s_is_distinct(&s_forms[i])) &&
            s_match_form(&s_forms[i], text, size, at, span))
            return true;
    return false;
}

bool redact_next(const char *text, size_t size, size_t from, redact_span_t *span)
{
    for (size_t at = from; at < size; at++)
        if (s_may_begin(text, size, at) && s_match(text, size, at, span))
            return true;
    return false;
}

void redact_text(const char *text, size_t size, buf_t *out)
{
    size_t at = 0;
    redact_span_t span;
    while (redact_next(text, size, at, &span)) {
        buf_add(out, text + at, span.begin - at);
        buf_add_text(out, REDACT_MASK);
        at = span.end;
    }
    buf_add(out, text + at, size - at);
}
