/* SPDX-License-Identifier: MPL-2.0
 *
 * password - which passwords are taken, and how they are kept
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/password.h"
#include "actors/base/text.h"
#include "proto/auth.h"

#define WORD_LEAST 3        /* letters a word of the user's needs to count */
#define BETWEEN    " .@_+-" /* what separates words says nothing */
#define OWN_LEAST  6        /* characters a password must have besides common and own words */

_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's string");

/* ---- what is common ---------------------------------------------------------------------------
 *
 * A list of our own: the words that published counts of leaked passwords agree on, spelt plainly.
 * It is looked for inside the password after usual replacements (p@ssw0rd) are undone, so that a
 * handful of words stands for their many decorated spellings. */

static const char *const s_common[] = {
    "password",  "passwort",   "passphrase",    "kennwort",   "letmein",  "welcome",   "secret",
    "changeme",  "default",    "administrator", "admin",      "login",    "master",    "access",
    "iloveyou",  "trustnoone", "qwertyuiop",    "qwertzuiop", "qwerty",   "qwertz",    "azerty",
    "asdfghjkl", "asdfgh",     "zxcvbnm",       "yxcvbnm",    "qazwsx",   "abcdefgh",  "abcdef",
    "football",  "baseball",   "basketball",    "superman",   "batman",   "spiderman", "pokemon",
    "starwars",  "princess",   "sunshine",      "shadow",     "monkey",   "dragon",    "michael",
    "jennifer",  "jordan",     "charlie",       "ashley",     "summer",   "winter",    "spring",
    "autumn",    "january",    "february",      "september",  "october",  "november",  "december",
    "computer",  "internet",   "google",        "facebook",   "samsung",  "freedom",   "whatever",
    "killer",    "hunter",     "ranger",        "soccer",     "hockey",   "liverpool", "arsenal",
    "chelsea",   "mustang",    "corvette",      "ferrari",    "mercedes", "hello",     "signalbox",
    "testtest",  "guest",      "user",          "root",       "database", "server",
};

/* Lower case, with the usual replacements undone. */
static size_t s_fold(const char *text, char *to, size_t room)
{
    static const char from[] = "@4013$5!7+", into[] = "aaoiessitt";
    size_t size = 0;
    for (; *text && size + 1 < room; text++) {
        const char *found = strchr(from, *text);
        to[size++] = found ? into[found - from] : (char)tolower((unsigned char)*text);
    }
    to[size] = '\0';
    return size;
}

/* Blanks every occurrence of a word. */
static void s_strike(char *text, const char *word)
{
    const size_t size = strlen(word);
    for (char *at = text; (at = strstr(at, word)); at += size)
        memset(at, ' ', size);
}

/* Characters that say something: nothing between words, and neither the same as, nor the next or
 * the one before in the alphabet of, their neighbour. */
static size_t s_own_characters(const char *text)
{
    size_t count = 0;
    char before = '\0';
    for (; *text; before = *text++) {
        int step = *text - before;
        if (!strchr(BETWEEN, *text) && (step < -1 || step > 1))
            count++;
    }
    return count;
}

/* Whether it is one piece again and again. */
static bool s_is_repeated(const char *text, size_t size)
{
    for (size_t piece = 1; piece * 2 <= size; piece++)
        if (memcmp(text, text + piece, size - piece) == 0)
            return true;
    return false;
}

static void s_strike_own(char *text, const char *words)
{
    char word[AUTH_PASSWORD_BYTES + 1];
    while (*(words += strspn(words, BETWEEN))) {
        size_t size = strcspn(words, BETWEEN);
        char piece[AUTH_PASSWORD_BYTES + 1];
        text_copy(piece, sizeof piece, words, size);
        if (s_fold(piece, word, sizeof word) >= WORD_LEAST)
            s_strike(text, word);
        words += size;
    }
}

const char *password_refusal(const char *password, int64_t least, const char *const *words)
{
    char folded[AUTH_PASSWORD_BYTES + 1];
    if ((int64_t)text_utf8_length(password, strlen(password)) < least)
        return "The password is too short";
    if (strlen(password) > AUTH_PASSWORD_BYTES)
        return "The password is longer than 1024 bytes";
    size_t size = s_fold(password, folded, sizeof folded);
    if (s_is_repeated(folded, size))
        return "The password repeats itself";
    if (s_own_characters(password) < OWN_LEAST)
        return "The password is a row of neighbouring characters";
    for (; *words; words++)
        s_strike_own(folded, *words);
    if (s_own_characters(folded) < OWN_LEAST)
        return "The password is made of your name or address";
    for (size_t i = 0; i < COUNT_OF(s_common); i++)
        s_strike(folded, s_common[i]);
    if (s_own_characters(folded) < OWN_LEAST)
        return "The password is made of common words of passwords";
    return NULL;
}

/* ---- how they are kept ----------------------------------------------------------------------- */

void password_hash(const password_cost_t *cost, const char *password, char hash[PASSWORD_HASH_SIZE])
{
    /* fails only when there is no memory, which is no state a caller could mend */
    insist(crypto_pwhash_str(hash, password, strlen(password), cost->passes, cost->memory_bytes) ==
           0);
}

bool password_fits(const char *hash, const char *password)
{
    return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

bool password_is_outdated(const password_cost_t *cost, const char *hash)
{
    return crypto_pwhash_str_needs_rehash(hash, cost->passes, cost->memory_bytes) != 0;
}
