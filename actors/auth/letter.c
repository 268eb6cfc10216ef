/* SPDX-License-Identifier: MPL-2.0
 *
 * letter - what the mails of the outbox say
 */
#include "config.h"

#include <string.h>

#include "actors/auth/letter.h"
#include "actors/base/clock.h"

#define IF_NOT_YOU                                                                                 \
    "If it was not you, somebody else may have your password: set a new one, and end all "         \
    "sessions."

static const struct {
    const char *kind, *subject, *before, *after;
} s_letters[] = {
    { "password_reset", "A new password",
      "somebody, probably you, has forgotten the password for this address. With this code a new "
      "one can be set:",
      "If it was not you, nothing needs to be done: the password stays as it is." },
    { "password_changed", "The password was changed",
      "the password for this address was changed, and all other sessions were ended.", IF_NOT_YOU },
    { "invite", "An invitation", "you are invited to register. The code of the invitation is:",
      "If you do not know what this is about, nothing needs to be done." },
    { "email_verify", "Is this your address?",
      "somebody, probably you, has given this address as theirs. With this code it can be proven:",
      "If it was not you, nothing needs to be done." },
    { "email_changed", "The address was changed",
      "this address is no longer the one you sign in with; another one has taken its place.",
      IF_NOT_YOU },
    { "second_factor_on", "Signing in asks for a code now",
      "from now on, signing in asks for a code of your authenticator app besides the password.",
      IF_NOT_YOU },
    { "second_factor_off", "Signing in asks for no code any more",
      "from now on, signing in asks for the password alone.", IF_NOT_YOU },
};

static size_t s_find(const char *kind)
{
    size_t i = 0;
    while (i < COUNT_OF(s_letters) && strcmp(s_letters[i].kind, kind) != 0)
        i++;
    return i;
}

const char *letter_subject(const letter_t *self)
{
    const size_t i = s_find(self->kind);
    return i < COUNT_OF(s_letters) ? s_letters[i].subject : NULL;
}

void letter_write(const letter_t *self, buf_t *text)
{
    char until[CLOCK_TEXT_SIZE];
    const size_t i = s_find(self->kind);
    insist(i < COUNT_OF(s_letters));
    buf_printf(text, "Hello%s%s,\n\n%s\n\n", self->name ? " " : "", self->name ? self->name : "",
               s_letters[i].before);
    if (self->code)
        buf_printf(text, "    %s\n\nIt is good once, until %s.\n\n", self->code,
                   clock_text(self->expires_ms, until));
    buf_printf(text, "%s\n", s_letters[i].after);
}
