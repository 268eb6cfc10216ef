/* SPDX-License-Identifier: MPL-2.0
 *
 * message - a mail as it is sent (RFC 5322, MIME: RFC 2045 to 2047)
 */
#include "config.h"

#include <string.h>
#include <time.h>

#include <sodium.h>

#include "actors/base/text.h"
#include "actors/jobs/mail/message.h"

#define LINE_BYTES 57 /* make the 76 characters a line of base64 may have */
#define WORD_BYTES                                                                                 \
    39 /* of text in one encoded word: beside "Subject: " it fits into 76 characters */

bool message_is_safe(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return text_is_utf8(text, size);
}

static void s_add_base64(buf_t *out, const void *bytes, size_t size)
{
    size_t room = sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL);
    char *at = (char *)buf_reserve(out, room);
    sodium_bin2base64(at, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    out->size += room - 1; /* less the NUL */
}

/* ASCII without the characters in `special`. */
static bool s_is_plain(const char *text, const char *special)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x7f || strchr(special, *text))
            return false;
    return true;
}

/* Text of a header: as it is, or in encoded words, each of whole characters. */
static void s_add_words(buf_t *out, const char *text)
{
    size_t left = strlen(text);
    if (s_is_plain(text, "=?") && left <= 60) {
        buf_add(out, text, left);
        return;
    }
    for (bool is_first = true; left > 0; is_first = false) {
        size_t size = 0, step;
        while (size < left && (step = text_utf8_step(text + size, left - size)) > 0 &&
               size + step <= WORD_BYTES)
            size += step;
        buf_add_text(out, is_first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        s_add_base64(out, text, size);
        buf_add_text(out, "?=");
        text += size;
        left -= size;
    }
}

/* A name before an address: in quotes or encoded, so that no character of it has a meaning. */
static void s_add_name(buf_t *out, const char *name)
{
    if (!s_is_plain(name, "")) {
        s_add_words(out, name);
        return;
    }
    buf_add_byte(out, '"');
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            buf_add_byte(out, '\\');
        buf_add_byte(out, (uint8_t)*name);
    }
    buf_add_byte(out, '"');
}

static void s_add_date(buf_t *out, int64_t date_s)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    const time_t seconds = (time_t)date_s;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
               months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void s_add_headers(buf_t *out, const message_t *self)
{
    const char *domain = strrchr(self->from, '@');
    s_add_date(out, self->date_s);
    buf_add_text(out, "From: ");
    if (self->from_name[0]) {
        s_add_name(out, self->from_name);
        buf_add_text(out, "\r\n ");
    }
    buf_printf(out, "<%s>\r\nTo: ", self->from);
    for (const char *const *to = self->to; *to; to++)
        buf_printf(out, "%s<%s>", to == self->to ? "" : ",\r\n ", *to);
    if (self->reply_to)
        buf_printf(out, "\r\nReply-To: <%s>", self->reply_to);
    buf_printf(out, "\r\nMessage-ID: <%s%s>\r\nSubject: ", self->id,
               domain ? domain : "@localhost");
    s_add_words(out, self->subject);
    /* RFC 3834: nobody's absence notice is wanted */
    buf_add_text(out, "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
}

static void s_add_part(buf_t *out, const char *type, const char *text)
{
    size_t left = strlen(text);
    buf_printf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
               type);
    while (left > 0) {
        size_t size = left < LINE_BYTES ? left : LINE_BYTES;
        s_add_base64(out, text, size);
        buf_add_text(out, "\r\n");
        text += size;
        left -= size;
    }
}

void message_write(const message_t *self, buf_t *out)
{
    s_add_headers(out, self);
    if (!self->html) {
        s_add_part(out, "text/plain", self->text);
        return;
    }
    /* "=_" cannot occur in base64 (RFC 2045, 6.7) */
    buf_add_text(out,
                 "Content-Type: multipart/alternative; boundary=\"=_part\"\r\n\r\n--=_part\r\n");
    s_add_part(out, "text/plain", self->text);
    buf_add_text(out, "--=_part\r\n");
    s_add_part(out, "text/html", self->html);
    buf_add_text(out, "--=_part--\r\n");
}
