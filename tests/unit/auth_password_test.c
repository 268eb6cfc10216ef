/* SPDX-License-Identifier: MPL-2.0
 *
 * Passwords: which are taken; tokens and keys as texts; what is sealed.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/auth/password.h"
#include "actors/auth/token.h"
#include "actors/auth/vault.h"
#include "tests/tap.h"

static void test_rules(void)
{
    static const struct {
        const char *password;
        bool good;
    } cases[] = {
        { "correct horse battery staple", true },
        { "vier gelbe B\xc3\xa4ume im Wind", true },
        { "!#%&/()=?`^*~{}", true },
        { "x9$kQ2vLm8#pR4t", true },
        { "\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c \xd0\xb8\xd0\xb7 "
          "\xd1\x81\xd0\xbb\xd0\xbe\xd0\xb2\xd0\xb0",
          true },
        { "fourteen chars", false },                   /* too short */
        { "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", false }, /* code points count, not bytes */
        { "aaaaaaaaaaaaaaaaaaaa", false },
        { "abcabcabcabcabcabc", false },
        { "winter2026winter2026", false },
        { "abcdefghijklmnopqrstuvwxyz", false },
        { "123456789012345678", false },
        { "passwordpassword1", false },
        { "P@ssw0rd.Admin.2026", false },
        { "qwertyuiop-asdfghjkl", false },
        { "ada.lovelace.1815", false },
        { "LOVELACE-lovelace-ada", false },
        { "my signalbox password", false },
    };
    const char *const words[] = { "ada.lovelace@example.dev", "Ada Lovelace", NULL };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *why = password_refusal(cases[i].password, 15, words);
        if (!ok_named(!why == cases[i].good, cases[i].password))
            note("%s", why ? why : "taken");
    }
    ok(!password_refusal("tr0ub4dor&3", 8, words)); /* where the operator asks for less */
}

static void test_hashes(void)
{
    const password_cost_t cost = { .passes = 1, .memory_bytes = 8192 };
    const password_cost_t other = { .passes = 2, .memory_bytes = 8192 };
    char one[PASSWORD_HASH_SIZE], two[PASSWORD_HASH_SIZE];
    password_hash(&cost, "secret", one);
    password_hash(&cost, "secret", two);
    ok(strcmp(one, two) != 0);
    ok(password_fits(one, "secret") && password_fits(two, "secret"));
    ok(!password_fits(one, "secret ") && !password_fits(one, ""));
    ok(!password_is_outdated(&cost, one) && password_is_outdated(&other, one));
}

static void test_tokens(void)
{
    uint8_t secret[TOKEN_BYTES], read[TOKEN_BYTES];
    char text[TOKEN_SIZE], key[TOKEN_KEY_SIZE], id[ID_UUID_SIZE], back[ID_UUID_SIZE];
    id_random(secret, sizeof secret);
    ok(token_read(TOKEN_REFRESH, token_write(TOKEN_REFRESH, secret, text), read));
    ok(memcmp(secret, read, sizeof read) == 0);
    ok(!token_read(TOKEN_INVITE, text, read)); /* one is not the other */
    text[strlen(text) - 1] = '\0';
    ok(!token_read(TOKEN_REFRESH, text, read));
    id_uuid7(id);
    ok(token_read_key(token_write_key(id, secret, key), back, read));
    is_text(back, id);
    ok(memcmp(secret, read, sizeof read) == 0);
    is_int(strlen(key), TOKEN_KEY_SIZE - 1);
    for (size_t cut = 0; cut < strlen(key); cut++) {
        char part[TOKEN_KEY_SIZE];
        snprintf(part, sizeof part, "%.*s", (int)cut, key);
        if (token_read_key(part, back, read))
            ok_named(false, part);
    }
    key[10] = 'G'; /* no digit of an id */
    ok(!token_read_key(key, back, read));
}

static void test_vault(void)
{
    char folder[] = "/tmp/sbx-vault-XXXXXX", path[64], why[200];
    vault_t first, second;
    buf_t sealed = { 0 };
    char plain[6];
    insist(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/auth.secret", folder);
    ok(vault_open(&first, "", folder, why, sizeof why));
    struct stat status;
    ok(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size == 65);
    ok(vault_open(&second, "", folder, why, sizeof why)); /* the same the second time */
    vault_seal(&first, "name", "secret", sizeof plain, &sealed);
    is_int(sealed.size, sizeof plain + VAULT_OVERHEAD);
    ok(vault_unseal(&second, "name", sealed.bytes, sealed.size, plain));
    ok(memcmp(plain, "secret", sizeof plain) == 0);
    ok(!vault_unseal(&second, "other", sealed.bytes, sealed.size, plain));
    sealed.bytes[30] ^= 1;
    ok(!vault_unseal(&second, "name", sealed.bytes, sealed.size, plain));
    ok(!vault_unseal(&second, "name", sealed.bytes, VAULT_OVERHEAD - 1, plain));

    chmod(path, 0640);
    ok(!vault_open(&second, "", folder, why, sizeof why));
    ok(strstr(why, "chmod 600") != NULL);
    chmod(path, 0600);
    insist(truncate(path, 10) == 0);
    ok(!vault_open(&second, "", folder, why, sizeof why));
    ok(!vault_open(&second, "12", folder, why, sizeof why));
    ok(!vault_open(&second, "", "/nowhere/at/all", why, sizeof why));
    ok(vault_open(&second, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                  folder, why, sizeof why));
    unlink(path);
    rmdir(folder);
    buf_free(&sealed);
}

TESTS({ "rules", test_rules }, { "hashes", test_hashes }, { "tokens", test_tokens },
      { "vault", test_vault })
