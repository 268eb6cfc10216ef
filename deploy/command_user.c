/* SPDX-License-Identifier: MPL-2.0
 *
 * command_user - administration by hand: users, their keys, the audit log
 *
 * Each asks the auth service over the bus, as a part of the system and not in anybody's name:
 * whoever may open the sockets of the data folder may do this.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "deploy/app.h"
#include "proto/auth.h"

#define ADMIN_DEADLINE_MS 30000

/* What one subcommand does with its arguments. */
typedef struct {
    const char *name;
    int least, most; /* arguments behind the name */
    int (*run)(client_t *client, int argc, char **argv);
} subcommand_t;

/* ---- calls ----------------------------------------------------------------------------------- */

/* A request of texts: names and values in turn, ending with NULL; a value of NULL is left out. */
static buf_t s_request(const char *const *pairs)
{
    buf_t body = { 0 };
    pack_t pack;
    size_t count = 0;
    pack_init(&pack, &body);
    size_t position = pack_open_map(&pack);
    for (; *pairs; pairs += 2)
        if (pairs[1]) {
            pack_pair_text(&pack, pairs[0], pairs[1]);
            count++;
        }
    pack_close(&pack, position, count);
    return body;
}

static client_request_t s_to_auth(const method_t *method, buf_t *body)
{
    return (client_request_t){ .service = auth_service.name,
                               .method = method->name,
                               .body = body,
                               .deadline_ms = ADMIN_DEADLINE_MS };
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Calls and prints the answer. */
static int s_show(client_t *client, const method_t *method, buf_t body)
{
    const client_request_t request = s_to_auth(method, &body);
    return app_show(client, &request);
}

static const value_t *s_ask(client_t *client, const method_t *method, buf_t body, arena_t *arena)
{
    const client_request_t request = s_to_auth(method, &body);
    return app_ask(client, &request, arena);
}

/* The id of the user with that address; what is no address is taken for an id. */
static bool s_find_user(client_t *client, const char *who, char id[ID_UUID_SIZE])
{
    arena_t arena = { 0 };
    if (!strchr(who, '@'))
        return text_copy(id, ID_UUID_SIZE, who, strlen(who));
    const value_t *reply = s_ask(client, &auth_users, s_request(PAIRS("email", who)), &arena);
    const char *found = value_dup_text(&arena, value_item(value_get(reply, "items"), 0), "id");
    const bool good = found && text_copy(id, ID_UUID_SIZE, found, strlen(found));
    if (reply && !good)
        app_fail(APP_EXIT_FAILED, "there is no user with the address '%s'", who);
    arena_free(&arena);
    return good;
}

/* ---- user ------------------------------------------------------------------------------------ */

static int s_user_list(client_t *client, int argc, char **argv)
{
    const char *from = argc > 0 ? argv[0] : NULL;
    bool is_address = from && strchr(from, '@');
    return s_show(
        client, &auth_users,
        s_request(PAIRS("email", is_address ? from : NULL, "cursor", is_address ? NULL : from)));
}

static int s_update(client_t *client, const char *who, const char *field, const char *value)
{
    char id[ID_UUID_SIZE];
    if (!s_find_user(client, who, id))
        return APP_EXIT_FAILED;
    return s_show(client, &auth_user_update, s_request(PAIRS("id", id, field, value)));
}

static int s_user_role(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update(client, argv[0], "role", argv[1]);
}

static int s_user_tier(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update(client, argv[0], "tier", argv[1]);
}

static int s_user_disable(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update(client, argv[0], "status", "disabled");
}

static int s_user_enable(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update(client, argv[0], "status", "active");
}

static int s_update_flag(client_t *client, const char *who, const char *field, bool value)
{
    char id[ID_UUID_SIZE];
    buf_t body = { 0 };
    pack_t pack;
    if (!s_find_user(client, who, id))
        return APP_EXIT_FAILED;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "id", id);
    pack_pair_bool(&pack, field, value);
    return s_show(client, &auth_user_update, body);
}

static int s_user_verify(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update_flag(client, argv[0], "email_verified", true);
}

static int s_user_totp_off(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_update_flag(client, argv[0], "second_factor", false);
}

static int s_user_invite(client_t *client, int argc, char **argv)
{
    return s_show(client, &auth_invite_create,
                  s_request(PAIRS("email", argv[0], "role", argc > 1 ? argv[1] : NULL, "tier",
                                  argc > 2 ? argv[2] : NULL)));
}

static int s_user_reset(client_t *client, int argc, char **argv)
{
    char id[ID_UUID_SIZE];
    (void)argc;
    if (!s_find_user(client, argv[0], id))
        return APP_EXIT_FAILED;
    return s_show(client, &auth_reset_issue, s_request(PAIRS("id", id)));
}

static const subcommand_t s_user[] = {
    { "list", 0, 1, s_user_list },         { "role", 2, 2, s_user_role },
    { "tier", 2, 2, s_user_tier },         { "disable", 1, 1, s_user_disable },
    { "enable", 1, 1, s_user_enable },     { "invite", 1, 3, s_user_invite },
    { "reset", 1, 1, s_user_reset },       { "verify", 1, 1, s_user_verify },
    { "totp-off", 1, 1, s_user_totp_off }, { 0 },
};

/* ---- key ------------------------------------------------------------------------------------- */

static int s_key_create(client_t *client, int argc, char **argv)
{
    char id[ID_UUID_SIZE];
    buf_t body = { 0 };
    pack_t pack;
    if (!s_find_user(client, argv[0], id))
        return APP_EXIT_FAILED;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "user_id", id);
    pack_pair_text(&pack, "name", argv[1]);
    pack_text(&pack, "scopes");
    pack_array(&pack, (size_t)argc - 2);
    for (int i = 2; i < argc; i++)
        pack_text(&pack, argv[i]);
    return s_show(client, &auth_key_issue, body);
}

static int s_key_revoke(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_show(client, &auth_key_revoke, s_request(PAIRS("id", argv[0])));
}

static const subcommand_t s_key[] = {
    { "create", 2, 2 + AUTH_SCOPES_MAX, s_key_create },
    { "revoke", 1, 1, s_key_revoke },
    { 0 },
};

/* ---- audit ----------------------------------------------------------------------------------- */

/* What a step of verifying found. */
typedef struct {
    bool good;
    int64_t verified, head;
    char hash[65];
} verified_t;

static bool s_verify_step(client_t *client, int64_t after, verified_t *step)
{
    arena_t arena = { 0 };
    buf_t body = { 0 };
    pack_t pack;
    size_t size;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_int(&pack, "after", after);
    const value_t *reply = s_ask(client, &auth_audit_verify, body, &arena);
    const char *hash = value_get_text(reply, "hash", &size);
    step->good = value_get_bool(reply, "good", false);
    step->verified = value_get_int(reply, "verified", 0);
    step->head = value_get_int(reply, "head", 0);
    text_copy(step->hash, sizeof step->hash, hash ? hash : "", hash ? size : 0);
    arena_free(&arena);
    return reply != NULL;
}

static int s_audit_verify(client_t *client, int argc, char **argv)
{
    verified_t step = { .good = true };
    (void)argc;
    (void)argv;
    do {
        if (!s_verify_step(client, step.verified, &step))
            return APP_EXIT_FAILED;
    } while (step.good && step.verified < step.head);
    if (!step.good)
        return app_fail(APP_EXIT_FAILED,
                        "the audit log has been changed: entry %lld is the last that is as it was "
                        "written, of %lld",
                        (long long)step.verified, (long long)step.head);
    printf("%lld entries, all as they were written; the last one's hash is\n%s\n",
           (long long)step.verified, step.hash);
    return APP_EXIT_OK;
}

static int s_audit_list(client_t *client, int argc, char **argv)
{
    buf_t body = { 0 };
    pack_t pack;
    int64_t before = 0;
    if (argc > 0 && (!text_to_i64(argv[0], strlen(argv[0]), &before) || before < 1))
        return app_fail(APP_EXIT_USAGE, "'%s' is no number of an entry", argv[0]);
    pack_init(&pack, &body);
    pack_map(&pack, before ? 1 : 0);
    if (before)
        pack_pair_int(&pack, "before", before);
    return s_show(client, &auth_audit, body);
}

static const subcommand_t s_audit[] = {
    { "verify", 0, 0, s_audit_verify },
    { "list", 0, 1, s_audit_list },
    { 0 },
};

/* ---- the commands ---------------------------------------------------------------------------- */

typedef struct {
    const subcommand_t *subcommand;
    int argc;
    char **argv;
} chosen_t;

static int s_run_chosen(client_t *client, void *arg)
{
    const chosen_t *chosen = arg;
    return chosen->subcommand->run(client, chosen->argc, chosen->argv);
}

static int s_run(app_t *app, const subcommand_t *list, int argc, char **argv)
{
    for (; argc > 0 && list->name; list++) {
        chosen_t chosen = { .subcommand = list, .argc = argc - 1, .argv = argv + 1 };
        if (strcmp(list->name, argv[0]) != 0)
            continue;
        if (chosen.argc < list->least || chosen.argc > list->most)
            return app_fail(APP_EXIT_USAGE, "'%s' takes other arguments; try --help", argv[0]);
        return app_with_client(app, s_run_chosen, &chosen);
    }
    return app_fail(APP_EXIT_USAGE, "say what to do; try --help");
}

static int s_run_user(app_t *app, int argc, char **argv)
{
    return s_run(app, s_user, argc, argv);
}

static int s_run_key(app_t *app, int argc, char **argv)
{
    return s_run(app, s_key, argc, argv);
}

static int s_run_audit(app_t *app, int argc, char **argv)
{
    return s_run(app, s_audit, argc, argv);
}

static const char *const s_sections[] = { "bus", NULL };

const command_t command_user = {
    .name = "user",
    .arguments = "list|role|tier|disable|enable|invite|reset|verify|totp-off ...",
    .about = "Administers users",
    .help = "  list [ADDRESS|CURSOR]          shows users\n"
            "  role ADDRESS|ID ROLE           user, admin, ops or service\n"
            "  tier ADDRESS|ID TIER           free, pro or enterprise, for the user's account\n"
            "  disable ADDRESS|ID             ends all sessions, shuts all keys\n"
            "  enable ADDRESS|ID\n"
            "  invite ADDRESS [ROLE [TIER]]   prints the code to register with\n"
            "  reset ADDRESS|ID               prints a code to set a new password with\n"
            "  verify ADDRESS|ID              takes the address for the user's, without a code\n"
            "  totp-off ADDRESS|ID            takes the second factor away, where it was lost",
    .sections = s_sections,
    .run = s_run_user,
};

const command_t command_key = {
    .name = "key",
    .arguments = "create|revoke ...",
    .about = "Administers API keys",
    .help = "  create ADDRESS|ID NAME [SCOPE ...]   prints the key; the scope * is all\n"
            "  revoke ID",
    .sections = s_sections,
    .run = s_run_key,
};

const command_t command_audit = {
    .name = "audit",
    .arguments = "verify|list ...",
    .about = "Looks at the audit log",
    .help = "  verify          whether every entry is as it was written\n"
            "  list [BEFORE]   the newest entries, or those before one",
    .sections = s_sections,
    .run = s_run_audit,
};
