/* SPDX-License-Identifier: MPL-2.0
 *
 * auth - the actor: settings, counters, its start and end, and the table of handlers
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define KEY_AFTER_S 60 /* how long a key outlives its tokens */

auth_settings_t auth_settings;

/* ---- settings and counters ------------------------------------------------------------------- */

#define ROW(field) offsetof(auth_settings_t, field)

static const setting_t s_setting_rows[] = {
    { "registration", SETTING_TEXT, ROW(registration), "open", .choices = "open invite closed",
      .about = "Who may register: everybody, whoever has an invitation, or nobody." },
    { "issuer", SETTING_TEXT, ROW(issuer), "signalbox", 1, 200,
      .about = "The `iss` of access tokens." },
    { "audience", SETTING_TEXT, ROW(audience), "signalbox", 1, 200,
      .about = "The `aud` of access tokens." },
    { "secret", SETTING_TEXT, ROW(secret), "", 0, 64, .secret = true,
      .about = "64 hex digits that seal signing keys and mails, the same for all instances; when "
               "empty, the file auth.secret in the data folder, made at the first start." },
    { "access_seconds", SETTING_INT, ROW(access_s), "600", 30, 86400, "s",
      .about = "How long an access token is good." },
    { "session_days", SETTING_INT, ROW(session_days), "30", 1, 3650, "days",
      .about = "How long a session lasts after its tokens were last renewed." },
    { "invite_days", SETTING_INT, ROW(invite_days), "7", 1, 365, "days",
      .about = "How long an invitation is good." },
    { "reset_minutes", SETTING_INT, ROW(reset_minutes), "30", 1, 1440, "min",
      .about = "How long a code for a new password is good." },
    { "verify_minutes", SETTING_INT, ROW(verify_minutes), "1440", 5, 43200, "min",
      .about = "How long a code that proves an address is good." },
    { "login_unverified", SETTING_BOOL, ROW(login_unverified), "true",
      .about = "Whether users may sign in before they have proven their address." },
    { "password_length", SETTING_INT, ROW(password_length), "15", 8, 64, "characters",
      .about = "The least length of a password; 15 is what NIST SP 800-63B-4 asks for where there "
               "is no second factor." },
    { "hash_memory_kib", SETTING_INT, ROW(hash_memory_kib), "19456", 1024, 4194304, "KiB",
      .about = "Memory that hashing a password takes (Argon2id)." },
    { "hash_passes", SETTING_INT, ROW(hash_passes), "2", 1, 100, NULL,
      .about = "Passes over that memory." },
    { "hash_threads", SETTING_INT, ROW(hash_threads), "2", 1, 64, "threads",
      .about = "Passwords that are hashed at once." },
    { "hash_waiting", SETTING_INT, ROW(hash_waiting), "64", 1, 10000, NULL,
      .about = "Requests that may wait for it; more are refused at once." },
    { "key_days", SETTING_INT, ROW(key_days), "90", 0, 3650, "days",
      .about = "How long access tokens are signed with one key; 0 is for ever." },
    { "key_lead_seconds", SETTING_INT, ROW(key_lead_s), "60", 1, 86400, "s",
      .about = "How long a new key is published before tokens are signed with it." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[AUTH_STATS + 1] = {
    [AUTH_REGISTERED] = { "auth_registered_total", STATS_COUNTER, "Users who registered" },
    [AUTH_LOGINS] = { "auth_logins_total", STATS_COUNTER, "Users who signed in" },
    [AUTH_LOGINS_REFUSED] = { "auth_logins_refused_total", STATS_COUNTER,
                              "Logins with a wrong address or password" },
    [AUTH_REFRESHES] = { "auth_refreshes_total", STATS_COUNTER, "Refresh tokens exchanged" },
    [AUTH_REFRESHES_REFUSED] = { "auth_refreshes_refused_total", STATS_COUNTER,
                                 "Refresh tokens that were not valid" },
    [AUTH_REFRESHES_REUSED] = { "auth_refreshes_reused_total", STATS_COUNTER,
                                "Sessions ended because a refresh token came twice" },
    [AUTH_IDENTIFIED] = { "auth_identified_total", STATS_COUNTER,
                          "Keys and sessions that were valid" },
    [AUTH_IDENTIFY_REFUSED] = { "auth_identify_refused_total", STATS_COUNTER,
                                "Keys and sessions that were not" },
    [AUTH_SIGNATURES] = { "auth_signatures_total", STATS_COUNTER,
                          "Requests that were signed rightly" },
    [AUTH_SIGNATURES_REFUSED] = { "auth_signatures_refused_total", STATS_COUNTER,
                                  "Requests that were not, or came again" },
    [AUTH_OVERLOADED] = { "auth_overloaded_total", STATS_COUNTER,
                          "Requests refused because too many passwords were being hashed" },
    [AUTH_PURGED] = { "auth_purged_total", STATS_COUNTER, "Sessions removed after their end" },
    [AUTH_MAILS_SENT] = { "auth_mails_sent_total", STATS_COUNTER,
                          "Mails the mail service has sent" },
    [AUTH_MAILS_REFUSED] = { "auth_mails_refused_total", STATS_COUNTER,
                             "Mails it has refused for good" },
    [AUTH_HASH_TIME] = { "auth_hash_duration_seconds", STATS_HISTOGRAM,
                         "Time a password took to be hashed or compared" },
    [AUTH_ACTIVE] = { "active_users{tier}", STATS_GAUGE,
                      "Users whose session or key was used in the last 15 minutes" },
    [AUTH_TIER_EVENTS] = { "subscription_events_total{event,tier}", STATS_COUNTER,
                           "Accounts created in a tier, or changed to it" },
};

keyring_times_t auth_key_times(void)
{
    return (keyring_times_t){ .lead_ms = auth_settings.key_lead_s * 1000,
                              .after_ms = (auth_settings.access_s + KEY_AFTER_S) * 1000 };
}

/* ---- starting and stopping ------------------------------------------------------------------- */

static void s_make_decoy(auth_t *self)
{
    uint8_t nobody[16];
    char password[2 * sizeof nobody + 1];
    id_random(nobody, sizeof nobody);
    password_hash(&self->cost, id_hex(nobody, sizeof nobody, password), self->decoy);
}

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    auth_t *self = memory;
    insist(sodium_init() >= 0);
    self->actor = actor;
    self->db = actor_db(actor);
    self->cost = (password_cost_t){ .passes = (uint64_t)auth_settings.hash_passes,
                                    .memory_bytes = (size_t)auth_settings.hash_memory_kib * 1024 };
    if (!vault_open(&self->vault, auth_settings.secret, actor_data_folder(actor), why, why_size))
        return false;
    keyring_init(&self->keyring);
    if (!auth_begin(self, why, why_size) ||
        !keyring_load(&self->keyring, self->db, &self->vault, why, why_size)) {
        keyring_free(&self->keyring);
        vault_close(&self->vault);
        return false;
    }
    s_make_decoy(self);
    self->herald = herald_new(actor, auth_publish_state, self);
    self->hasher =
        hasher_new((size_t)auth_settings.hash_threads, (size_t)auth_settings.hash_waiting);
    return true;
}

static uint32_t s_deferred(const void *memory)
{
    (void)memory;
    return (uint32_t)(auth_settings.hash_threads + auth_settings.hash_waiting);
}

static void s_ready(actor_t *actor, void *memory)
{
    (void)actor;
    herald_start(((auth_t *)memory)->herald);
}

static void s_tick(actor_t *actor, void *memory)
{
    (void)actor;
    auth_keep_up(memory);
}

static void s_stop(actor_t *actor, void *memory)
{
    auth_t *self = memory;
    (void)actor;
    hasher_destroy(&self->hasher);
    herald_destroy(&self->herald);
    keyring_free(&self->keyring);
    vault_close(&self->vault);
}

/* ---- the actor ------------------------------------------------------------------------------- */

/* What hashes passwords only queues here, and runs on the hasher's threads. */
static const handler_t s_handlers[] = {
    { &auth_register, auth_on_register, HANDLE_INLINE },
    { &auth_login, auth_on_login, HANDLE_INLINE },
    { &auth_login_code, auth_on_login_code, HANDLE_POOL },
    { &auth_password_change, auth_on_password_change, HANDLE_INLINE },
    { &auth_password_reset, auth_on_password_reset, HANDLE_INLINE },
    { &auth_email_change, auth_on_email_change, HANDLE_INLINE },
    { &auth_totp_begin, auth_on_totp_begin, HANDLE_INLINE },
    { &auth_totp_confirm, auth_on_totp_confirm, HANDLE_POOL },
    { &auth_totp_end, auth_on_totp_end, HANDLE_INLINE },
    { &auth_me_erase, auth_on_me_erase, HANDLE_INLINE },
    { &auth_account_erase, auth_on_account_erase, HANDLE_INLINE },
    { &auth_export, auth_on_export, HANDLE_POOL },
    { &auth_erased, auth_on_erased, HANDLE_POOL },
    { &auth_mail_deliver, auth_on_mail_deliver, HANDLE_POOL },
    { &auth_verify, auth_on_verify, HANDLE_POOL },
    { &auth_verify_resend, auth_on_verify_resend, HANDLE_POOL },
    { &auth_refresh, auth_on_refresh, HANDLE_POOL },
    { &auth_logout, auth_on_logout, HANDLE_POOL },
    { &auth_logout_all, auth_on_logout_all, HANDLE_POOL },
    { &auth_sessions, auth_on_sessions, HANDLE_POOL },
    { &auth_session_delete, auth_on_session_delete, HANDLE_POOL },
    { &auth_password_forgot, auth_on_password_forgot, HANDLE_POOL },
    { &auth_jwks, auth_on_jwks, HANDLE_INLINE },
    { &auth_me, auth_on_me, HANDLE_POOL },
    { &auth_me_update, auth_on_me_update, HANDLE_POOL },
    { &auth_account, auth_on_account, HANDLE_POOL },
    { &auth_account_update, auth_on_account_update, HANDLE_POOL },
    { &auth_members, auth_on_members, HANDLE_POOL },
    { &auth_member_delete, auth_on_member_delete, HANDLE_POOL },
    { &auth_account_invite, auth_on_account_invite, HANDLE_POOL },
    { &auth_keys, auth_on_keys, HANDLE_POOL },
    { &auth_key_create, auth_on_key_create, HANDLE_POOL },
    { &auth_key_delete, auth_on_key_delete, HANDLE_POOL },
    { &auth_signing_create, auth_on_signing_create, HANDLE_POOL },
    { &auth_signing_delete, auth_on_signing_delete, HANDLE_POOL },
    { &auth_users, auth_on_users, HANDLE_POOL },
    { &auth_user, auth_on_user, HANDLE_POOL },
    { &auth_user_update, auth_on_user_update, HANDLE_POOL },
    { &auth_invites, auth_on_invites, HANDLE_POOL },
    { &auth_invite_create, auth_on_invite_create, HANDLE_POOL },
    { &auth_invite_delete, auth_on_invite_delete, HANDLE_POOL },
    { &auth_audit, auth_on_audit, HANDLE_POOL },
    { &auth_flags, auth_on_flags, HANDLE_POOL },
    { &auth_flag_set, auth_on_flag_set, HANDLE_POOL },
    { &auth_flag_delete, auth_on_flag_delete, HANDLE_POOL },
    { &auth_rotate, auth_on_rotate, HANDLE_POOL },
    { &auth_identify, auth_on_identify, HANDLE_POOL },
    { &auth_signature_check, auth_on_signature_check, HANDLE_POOL },
    { &auth_account_tier, auth_on_account_tier, HANDLE_POOL },
    { &auth_key_issue, auth_on_key_issue, HANDLE_POOL },
    { &auth_key_revoke, auth_on_key_revoke, HANDLE_POOL },
    { &auth_reset_issue, auth_on_reset_issue, HANDLE_POOL },
    { &auth_audit_record, auth_on_audit_record, HANDLE_POOL },
    { &auth_audit_verify, auth_on_audit_verify, HANDLE_POOL },
    { 0 },
};

const actor_spec_t auth_actor = {
    .service = &auth_service,
    .settings = s_setting_rows,
    .settings_target = &auth_settings,
    .stats = s_stats_rows,
    .migrations = auth_migrations,
    .self_size = sizeof(auth_t),
    .init = s_init,
    .ready = s_ready,
    .deferred = s_deferred,
    .tick = s_tick,
    .stop = s_stop,
    .handlers = s_handlers,
};
