/* SPDX-License-Identifier: MPL-2.0
 *
 * auth - the service that knows who somebody is: all its methods
 *
 * The rows stand in auth_login.c, auth_password.c, auth_account.c, auth_admin.c and
 * auth_internal.c, by who calls them and for what.
 */
#include "config.h"

#include "proto/auth.h"

const service_t auth_service = {
    .name = "auth",
    .version = "1.0.0",
    .about = "Users, accounts, sessions, API keys, invitations, the audit log and feature flags",
    .methods = (const method_t *const[]){ &auth_register,
                                          &auth_login,
                                          &auth_login_code,
                                          &auth_refresh,
                                          &auth_logout,
                                          &auth_logout_all,
                                          &auth_sessions,
                                          &auth_session_delete,
                                          &auth_password_change,
                                          &auth_password_forgot,
                                          &auth_password_reset,
                                          &auth_verify,
                                          &auth_verify_resend,
                                          &auth_email_change,
                                          &auth_totp_begin,
                                          &auth_totp_confirm,
                                          &auth_totp_end,
                                          &auth_jwks,
                                          &auth_me,
                                          &auth_me_update,
                                          &auth_account,
                                          &auth_account_update,
                                          &auth_members,
                                          &auth_member_delete,
                                          &auth_account_invite,
                                          &auth_keys,
                                          &auth_key_create,
                                          &auth_key_delete,
                                          &auth_users,
                                          &auth_user,
                                          &auth_user_update,
                                          &auth_invites,
                                          &auth_invite_create,
                                          &auth_invite_delete,
                                          &auth_audit,
                                          &auth_flags,
                                          &auth_flag_set,
                                          &auth_flag_delete,
                                          &auth_rotate,
                                          &auth_identify,
                                          &auth_account_tier,
                                          &auth_key_issue,
                                          &auth_key_revoke,
                                          &auth_reset_issue,
                                          &auth_audit_verify,
                                          NULL },
};
