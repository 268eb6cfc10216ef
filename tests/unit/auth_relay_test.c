/* SPDX-License-Identifier: MPL-2.0
 *
 * Mails leave the outbox by way of jobs and of the mail service, both of which the test plays.
 */
#include "config.h"

#include "actors/auth/letter.h"
#include "tests/kit/holder.h"
#include "tests/unit/auth_stage.h"

typedef struct {
    stage_t stage;
    holder_t jobs, mail;
} post_t;

static void s_open(post_t *self)
{
    *self = (post_t){ 0 };
    stage_open(&self->stage, NULL);
    holder_start(&self->jobs, &self->stage.bus, "jobs", "jobs-1", 10, false);
    holder_start(&self->mail, &self->stage.bus, "mail", "mail-1", 10, false);
}

static void s_close(post_t *self)
{
    holder_stop(&self->mail);
    holder_stop(&self->jobs);
    stage_close(&self->stage);
}

/* The next request of one of them, which is the test's to answer. */
static worker_request_t *s_next(post_t *self, holder_t *holder, const value_t **body)
{
    value_verdict_t verdict;
    if (!bus_wait(&holder->came))
        die("nobody has asked %s", holder->instance);
    worker_request_t *request = holder_take(holder);
    const size_t size = zmq_msg_size(&request->body);
    *body = value_parse(&self->stage.arena,
                        arena_text(&self->stage.arena, zmq_msg_data(&request->body), size), size,
                        VALUE_LIMITS, &verdict);
    return request;
}

static void s_answer(holder_t *holder, worker_request_t *request, error_code_t code)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 0);
    if (code == ERROR_NONE)
        client_reply(holder->client, request, FRAME_FINAL, 0, &body);
    else
        client_reply_failure(holder->client, request,
                             &(failure_t){ .code = code, .detail = "because" });
    buf_free(&body);
    worker_request_destroy(&request);
}

/* A mail was handed over: its id. */
static const char *s_enqueued(post_t *self)
{
    const value_t *body;
    worker_request_t *request = s_next(self, &self->jobs, &body);
    const value_t *job = value_item(value_get(body, "jobs"), 0);
    is_int(value_get(body, "jobs")->count, 1);
    is_text(stage_text(&self->stage, job, "kind"), "auth.mail_deliver");
    const char *id = stage_text(&self->stage, value_get(job, "payload"), "id");
    is_text(stage_text(&self->stage, job, "unique_key"), id);
    is_int(value_get(job, "payload")->count, 1); /* and nothing that is secret */
    s_answer(&self->jobs, request, ERROR_NONE);
    return id;
}

typedef struct {
    post_t *post;
    const char *json;
    arena_t arena;
    reply_t reply;
    pthread_t thread;
} delivery_t;

static void *s_deliver(void *arg)
{
    delivery_t *self = arg;
    self->reply = stage_call_in(&self->post->stage, &self->arena, NULL, "mail_deliver", self->json);
    return NULL;
}

/* Runs the job, while the mail service answers with `code`; what the job is told. */
static error_code_t s_run(post_t *self, const char *id, error_code_t code, const value_t **sent)
{
    delivery_t delivery = { .post = self,
                            .json = arena_format(&self->stage.arena, "{\"id\":\"%s\"}", id) };
    pthread_create(&delivery.thread, NULL, s_deliver, &delivery);
    worker_request_t *request = s_next(self, &self->mail, sent);
    s_answer(&self->mail, request, code);
    pthread_join(delivery.thread, NULL);
    arena_free(&delivery.arena);
    return delivery.reply.code;
}

static void test_sent(void)
{
    post_t post;
    const value_t *sent;
    s_open(&post);
    stage_t *stage = &post.stage;
    stage_call(stage, NULL, "register",
               "{\"email\":\"ada@example.dev\",\"password\":\"%s\",\"name\":\"Ada L\"}",
               STAGE_PASSWORD);
    const char *code = stage_mail(stage, "email_verify", "ada@example.dev");
    const char *id = s_enqueued(&post);
    is_int(stage_mails(stage, "email_verify"), 1); /* until it is sent */
    /* for now not; then yes */
    is_int(s_run(&post, id, ERROR_UNAVAILABLE, &sent), ERROR_UNAVAILABLE);
    is_int(stage_mails(stage, "email_verify"), 1);
    is_int(s_run(&post, id, ERROR_NONE, &sent), ERROR_NONE);
    is_int(stage_mails(stage, "email_verify"), 0);
    is_int(value_get(sent, "to")->count, 1);
    ok(value_is(value_item(value_get(sent, "to"), 0), "ada@example.dev"));
    is_text(stage_text(stage, sent, "id"), id);
    const char *text = stage_text(stage, sent, "text");
    ok(strstr(text, "Hello Ada L,") && strstr(text, code));
    is_int(stage_call(stage, NULL, "verify", "{\"token\":\"%s\"}", code).code, ERROR_NONE);
    is_int(stage_count(stage, AUTH_MAILS_SENT), 1);
    /* once more does no harm */
    is_int(stage_call(stage, NULL, "mail_deliver", "{\"id\":\"%s\"}", id).code, ERROR_NONE);
    s_close(&post);
}

static void test_refused(void)
{
    post_t post;
    const value_t *sent;
    s_open(&post);
    stage_register(&post.stage, "ada@example.dev");
    const char *id = s_enqueued(&post);
    /* where no server is configured, it waits */
    is_int(s_run(&post, id, ERROR_NOT_IMPLEMENTED, &sent), ERROR_NONE);
    is_int(stage_mails(&post.stage, "email_verify"), 1);
    is_int(s_run(&post, id, ERROR_UNPROCESSABLE, &sent), ERROR_UNPROCESSABLE);
    is_int(stage_mails(&post.stage, "email_verify"), 0);
    is_int(stage_count(&post.stage, AUTH_MAILS_REFUSED), 1);
    s_close(&post);
}

/* What was not taken, or is still there much later, is handed over again. */
static void test_again(void)
{
    static const db_sql_t ago = { "test.ago",
                                  "UPDATE mails SET enqueued_at = enqueued_at - 3600001", NULL };
    static const db_sql_t marked = { "test.marked",
                                     "SELECT count(*) AS n FROM mails WHERE enqueued_at > 0",
                                     NULL };
    post_t post;
    s_open(&post);
    stage_register(&post.stage, "ada@example.dev");
    const char *id = s_enqueued(&post);
    for (int tries = 0; tries < 10000 && place_number(stage_db(&post.stage), &marked) < 1; tries++)
        clock_sleep_ms(1);
    stage_sql(&post.stage, &ago);
    is_text(s_enqueued(&post), id);
    s_close(&post);
}

/* A user who is erased takes the mails along. */
static void test_erased(void)
{
    post_t post;
    s_open(&post);
    person_t ada = stage_register(&post.stage, "ada@example.dev");
    const char *id = s_enqueued(&post);
    is_int(
        stage_call(&post.stage, &ada.who, "account_erase", "{\"password\":\"%s\"}", STAGE_PASSWORD)
            .code,
        ERROR_NONE);
    is_int(stage_call(&post.stage, NULL, "mail_deliver", "{\"id\":\"%s\"}", id).code, ERROR_NONE);
    s_close(&post);
}

/* Every kind that is stored has a text. */
static void test_letters(void)
{
    static const char *const kinds[] = { "password_reset",   "password_changed", "invite",
                                         "email_verify",     "email_changed",    "second_factor_on",
                                         "second_factor_off" };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        buf_t text = { 0 };
        const letter_t letter = { .kind = kinds[i], .code = i % 2 ? NULL : "sbp_code" };
        ok_named(letter_subject(&letter), kinds[i]);
        letter_write(&letter, &text);
        ok(strstr(buf_text(&text), "Hello,\n") && !strstr(buf_text(&text), "(null)"));
        buf_free(&text);
    }
    ok(!letter_subject(&(letter_t){ .kind = "other" }));
}

DATABASE_TESTS({ "sent", test_sent }, { "refused", test_refused }, { "again", test_again },
               { "erased", test_erased }, { "letters", test_letters })
