/* SPDX-License-Identifier: MPL-2.0
 *
 * Signed requests: what is signed over, who must sign, and that nothing is taken twice.
 */
#include "config.h"

#include "actors/auth/signature.h"
#include "tests/unit/auth_stage.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- the signature --------------------------------------------------------------------------- */

/* Made with Python:
 *
 *     lines = ["sbx-hmac-sha256-v1", method, target, sha256(body).hexdigest(), str(time), nonce]
 *     hmac.new(secret, "\\n".join(lines).encode(), sha256).hexdigest()
 */
static void test_vectors(void)
{
    static const char secret[] = "sbs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    static const struct {
        signed_t what;
        const char *mac;
    } vectors[] = {
        { { .method = "POST",
            .target = "/v1/keys", /* {"name":"ci"} */
            .digest = "eb8b0f0d421f689aaf2b268ea54e0b012830c0842b61c8cbc4820f84e5c29d8e",
            .nonce = "4f1c9a0be2d35678",
            .time_s = 1767225600 },
          "d924fb7b33d63a5ca66451f52f2e61beb44749c811c8a622b83a224ebfc670f8" },
        { { .method = "DELETE",
            .target = "/v1/admin/limits/free",
            .digest = EMPTY,
            .nonce = "A-nonce_of_the_longest_kind_there_is-0123456789-0123456789-0123_",
            .time_s = 1800000000 },
          "ab1007e9fe4f0a397677e5fc4b8d24ccf5b7f5f172903e296ced13f8176e84ed" },
        { { .method = "PUT",
            .target = "/v1/admin/flags/new?x=%2F", /* the bytes 0 and 255 */
            .digest = "06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8",
            .nonce = "0000000000000000",
            .time_s = 1 },
          "dc449265c285d6d64518862f62b2eea7f9b7bb95e44a8d2faad099849de62bbc" },
    };
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const signed_t *what = &vectors[i].what;
        char mac[2 * SIGNATURE_BYTES + 1];
        ok(signature_is(what, secret, strlen(secret), vectors[i].mac));
        ok(!signature_is(what, secret, strlen(secret) - 1, vectors[i].mac));
        snprintf(mac, sizeof mac, "%s", vectors[i].mac);
        mac[63] ^= 1;
        ok(!signature_is(what, secret, strlen(secret), mac));
        mac[62] = '\0';
        ok(!signature_is(what, secret, strlen(secret), mac));
        ok(!signature_is(what, secret, strlen(secret), ""));
    }
}

/* ---- keys that sign -------------------------------------------------------------------------- */

typedef struct {
    stage_t stage;
    person_t ada;
    const char *key_id, *key, *secret;
} signer_t;

static const char *s_new_secret(signer_t *self)
{
    reply_t reply =
        stage_call(&self->stage, &self->ada.who, "signing_create", "{\"id\":\"%s\"}", self->key_id);
    is_int(reply.code, ERROR_NONE);
    return stage_text(&self->stage, reply.body, "secret");
}

static void s_open(signer_t *self)
{
    stage_open(&self->stage, NULL);
    self->ada = stage_register(&self->stage, "ada@example.dev");
    reply_t reply = stage_call(&self->stage, &self->ada.who, "key_create",
                               "{\"name\":\"ci\",\"scopes\":[\"*\"]}");
    self->key_id = stage_text(&self->stage, reply.body, "id");
    self->key = stage_text(&self->stage, reply.body, "key");
    self->secret = s_new_secret(self);
}

static bool s_signs(signer_t *self)
{
    reply_t reply = stage_call(&self->stage, NULL, "identify", "{\"key\":\"%s\"}", self->key);
    is_int(reply.code, ERROR_NONE);
    return value_get_bool(reply.body, "signs", false);
}

static signed_t s_request(const char *nonce)
{
    return (signed_t){ .method = "POST",
                       .target = "/v1/keys",
                       .digest = EMPTY,
                       .nonce = nonce,
                       .time_s = clock_wall_ms() / 1000 };
}

/* Asks about a request that was signed as `was`. */
static error_code_t s_check(signer_t *self, const signed_t *is, const signed_t *was)
{
    uint8_t mac[SIGNATURE_BYTES];
    char hex[2 * SIGNATURE_BYTES + 1];
    signature_make(was, self->secret, strlen(self->secret), mac);
    return stage_call(&self->stage, NULL, "signature_check",
                      "{\"key_id\":\"%s\",\"method\":\"%s\",\"target\":\"%s\",\"digest\":\"%s\","
                      "\"time\":%lld,\"nonce\":\"%s\",\"mac\":\"%s\"}",
                      self->key_id, is->method, is->target, is->digest, (long long)is->time_s,
                      is->nonce, id_hex(mac, sizeof mac, hex))
        .code;
}

static error_code_t s_check_nonce(signer_t *self, const char *nonce)
{
    const signed_t request = s_request(nonce);
    return s_check(self, &request, &request);
}

static void test_good_once(void)
{
    signer_t self;
    s_open(&self);
    ok(strncmp(self.secret, "sbs_", 4) == 0);
    if (ON_POSTGRES)
        stage_start(&self.stage, 1); /* both know what either has taken */
    for (int i = 0; i < 4; i++)
        is_int(s_check_nonce(&self, "0123456789abcdef"), i ? ERROR_UNAUTHENTICATED : ERROR_NONE);
    is_int(s_check_nonce(&self, "0123456789abcdeg"), ERROR_NONE);
    stage_close(&self.stage);
}

/* Whatever was changed behind the signature shows. */
static void test_changed(void)
{
    signer_t self;
    s_open(&self);
    const signed_t was = s_request("0123456789abcdef");
    signed_t is[6] = { was, was, was, was, was, was };
    is[0].method = "PUT";
    is[1].target = "/v1/keys?x";
    is[2].digest = "eb8b0f0d421f689aaf2b268ea54e0b012830c0842b61c8cbc4820f84e5c29d8e";
    is[3].time_s += 1;
    is[4].nonce = "0123456789abcdeg";
    for (size_t i = 0; i < 5; i++)
        is_int(s_check(&self, &is[i], &was), ERROR_UNAUTHENTICATED);
    is_int(s_check(&self, &is[5], &was), ERROR_NONE); /* its nonce has not been used up by them */
    is[5].nonce = "too short";
    is_int(s_check(&self, &is[5], &is[5]), ERROR_VALIDATION_FAILED);
    stage_close(&self.stage);
}

static void test_time(void)
{
    static const struct {
        int64_t offset_s;
        error_code_t code;
    } cases[] = {
        { -AUTH_FRESH_S + 30, ERROR_NONE },
        { AUTH_FRESH_S - 30, ERROR_NONE },
        { -AUTH_FRESH_S - 30, ERROR_UNAUTHENTICATED },
        { AUTH_FRESH_S + 30, ERROR_UNAUTHENTICATED },
        { INT64_C(8000000000000000), ERROR_UNAUTHENTICATED },
    };
    signer_t self;
    char nonce[32];
    s_open(&self);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(nonce, sizeof nonce, "nonce-of-the-case-%zu", i);
        signed_t request = s_request(nonce);
        request.time_s += cases[i].offset_s;
        is_int(s_check(&self, &request, &request), cases[i].code);
    }
    stage_close(&self.stage);
}

static void test_secrets(void)
{
    signer_t self;
    s_open(&self);
    ok(s_signs(&self));
    reply_t keys = stage_call(&self.stage, &self.ada.who, "keys", "{}");
    const value_t *shown = value_item(value_get(keys.body, "items"), 0);
    ok(value_get_bool(shown, "signs", false) && !value_get(shown, "secret"));
    /* a new one takes the place of the old one */
    const char *old = self.secret;
    self.secret = s_new_secret(&self);
    ok(strcmp(old, self.secret) != 0);
    is_int(s_check_nonce(&self, "nonce-of-the-new-one"), ERROR_NONE);
    const char *next = self.secret;
    self.secret = old;
    is_int(s_check_nonce(&self, "nonce-of-the-old-one"), ERROR_UNAUTHENTICATED);
    self.secret = next;
    /* nobody gives or takes one of somebody else's key */
    person_t eve = stage_register(&self.stage, "eve@example.dev");
    is_int(stage_call(&self.stage, &eve.who, "signing_create", "{\"id\":\"%s\"}", self.key_id).code,
           ERROR_NOT_FOUND);
    is_int(stage_call(&self.stage, &eve.who, "signing_delete", "{\"id\":\"%s\"}", self.key_id).code,
           ERROR_NOT_FOUND);
    is_int(s_check_nonce(&self, "nonce-after-eve-0000"), ERROR_NONE);
    is_int(stage_call(&self.stage, &self.ada.who, "signing_delete", "{\"id\":\"%s\"}", self.key_id)
               .code,
           ERROR_NONE);
    ok(!s_signs(&self));
    is_int(s_check_nonce(&self, "nonce-without-secret"), ERROR_UNAUTHENTICATED);
    is_int(stage_call(&self.stage, &self.ada.who, "signing_delete", "{\"id\":\"%s\"}", self.key_id)
               .code,
           ERROR_NOT_FOUND);
    /* a key that is revoked signs no more */
    self.secret = s_new_secret(&self);
    stage_call(&self.stage, &self.ada.who, "key_delete", "{\"id\":\"%s\"}", self.key_id);
    is_int(s_check_nonce(&self, "nonce-of-the-revoked"), ERROR_UNAUTHENTICATED);
    is_int(stage_call(&self.stage, &self.ada.who, "signing_create", "{\"id\":\"%s\"}", self.key_id)
               .code,
           ERROR_NOT_FOUND);
    stage_close(&self.stage);
}

/* Whoever is erased leaves no secret behind. */
static void test_erased(void)
{
    static const db_sql_t count = { "test.count", "SELECT key_id FROM signing_secrets", NULL };
    signer_t self;
    db_rows_t *rows;
    s_open(&self);
    is_int(stage_call(&self.stage, &self.ada.who, "account_erase", "{\"password\":\"%s\"}",
                      STAGE_PASSWORD)
               .code,
           ERROR_NONE);
    is_int(DB_RUN(db_conn(stage_db(&self.stage)), &count, &rows), DB_OK);
    ok(!db_next(rows));
    db_rows_close(&rows);
    is_int(s_check_nonce(&self, "nonce-of-the-erased"), ERROR_UNAUTHENTICATED);
    stage_close(&self.stage);
}

DATABASE_TESTS({ "vectors", test_vectors }, { "good once", test_good_once },
               { "changed", test_changed }, { "time", test_time }, { "secrets", test_secrets },
               { "erased", test_erased })
