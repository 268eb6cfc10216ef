/* SPDX-License-Identifier: MPL-2.0
 *
 * code - a secret that is mailed to a user, good once: for a new password, or to prove an address
 *
 * Only its hash is stored. A user has at most one of a kind: the newest. Asking for another one
 * within a minute sends none, so that nobody's mailbox is filled by others.
 */
#ifndef SIGNALBOX_AUTH_CODE_H
#define SIGNALBOX_AUTH_CODE_H

#include "actors/auth/auth.h"

typedef enum { CODE_RESET, CODE_VERIFY, CODE_KINDS } code_kind_t;

typedef struct {
    code_kind_t kind;
    const user_t *user;
    const char *email; /* that it proves; NULL for CODE_RESET */
    int64_t expires_ms;
    uint8_t hash[TOKEN_BYTES];
    char text[TOKEN_SIZE]; /* wiped by whoever made it */
} code_t;

/* A new one; `user` and `email` are borrowed. */
void code_make(code_t *self, code_kind_t kind, const user_t *user, const char *email,
               int64_t now_ms);

/* Stores it in place of the user's earlier ones of its kind, and puts it into the outbox. */
db_status_t code_add(db_conn_t *conn, const deed_t *deed, const code_t *self);
db_status_t code_mail(db_conn_t *conn, const deed_t *deed, const code_t *self);

/* The hash of a code that somebody has shown; false when it is none of this kind. */
bool code_read(code_kind_t kind, const char *text, uint8_t hash[TOKEN_BYTES]) MUST_CHECK;

/* The code with this hash, with its user and address; taken out if `take`. NULL in `user_id`: there
 * is none, or it has expired. */
db_status_t code_find(db_conn_t *conn, const deed_t *deed, code_kind_t kind,
                      const uint8_t hash[TOKEN_BYTES], bool take, stored_code_t *found);

/* Answers the call, which names an `email`, and then sends its user a code, if there is one who may
 * have it. What is done but for that is the same whoever it is, so that neither the answer nor its
 * time, nor that of the next one, tells whether the address is known. */
void code_answer_and_send(call_t *call, auth_t *auth, code_kind_t kind, const char *action);

#endif
