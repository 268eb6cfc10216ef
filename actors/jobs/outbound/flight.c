/* SPDX-License-Identifier: MPL-2.0
 *
 * flight - one transfer under way, and libcurl's handle for it
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "actors/jobs/outbound/flight.h"

#define USER_AGENT        "Signalbox/" PACKAGE_VERSION
#define PINNED_S          60    /* how long libcurl may remember an address we gave it */
#define RETRY_AFTER_MAX_S 86400 /* a longer one is not believed */
#define RECEIVE_BYTES     65536

/* ---- copying --------------------------------------------------------------------------------- */

static const char *s_copy(arena_t *arena, const char *text)
{
    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

static const char *const *s_copy_list(arena_t *arena, const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    const char **copy = arena_array(arena, count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = s_copy(arena, list[i]);
    return copy;
}

flight_t *flight_new(const transfer_t *what)
{
    flight_t *self = mem_zeroed(sizeof *self);
    const outbound_settings_t *settings = &outbound_settings;
    self->what = *what;
    self->url = *what->url;
    self->what.url = &self->url;
    self->what.verb = s_copy(&self->arena, what->verb);
    self->what.ask_header = s_copy(&self->arena, what->ask_header);
    self->what.headers = s_copy_list(&self->arena, what->headers);
    self->what.body = what->body ? arena_text(&self->arena, what->body, what->size) : NULL;
    self->what.mail_from = s_copy(&self->arena, what->mail_from);
    self->what.mail_to = s_copy_list(&self->arena, what->mail_to);
    self->what.user = s_copy(&self->arena, what->user);
    self->what.password = s_copy(&self->arena, what->password);
    self->total_ms = what->total_ms ? what->total_ms : (uint32_t)settings->total_ms;
    if (!self->what.connect_ms)
        self->what.connect_ms = (uint32_t)settings->connect_ms;
    self->received_max = what->answer_max ? what->answer_max : (size_t)settings->answer_bytes;
    self->sent_us = self->hop_us = clock_us();
    return self;
}

void flight_drop_handle(flight_t *self)
{
    if (self->easy)
        curl_easy_cleanup(self->easy);
    curl_slist_free_all(self->headers);
    curl_slist_free_all(self->pinned);
    curl_slist_free_all(self->recipients);
    self->easy = NULL;
    self->headers = self->pinned = self->recipients = NULL;
}

void flight_free(flight_t *self)
{
    flight_drop_handle(self);
    buf_free(&self->received);
    if (self->what.password)
        mem_wipe((void *)(uintptr_t)self->what.password, strlen(self->what.password));
    arena_free(&self->arena);
    mem_free(self);
}

/* ---- what libcurl calls ---------------------------------------------------------------------- */

static bool s_is_mail(const flight_t *self)
{
    return self->what.mail_from != NULL;
}

/* The last word on an address: it is the one that is about to be called. */
static curl_socket_t s_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    flight_t *self = arg;
    address_t address;
    (void)purpose;
    if (!address_of_socket(&to->addr, &address))
        self->fenced = "no address of the Internet";
    else if (!self->what.is_trusted)
        self->fenced = fence_refusal(self->fence, &address);
    if (self->fenced)
        return CURL_SOCKET_BAD;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t s_on_received(char *bytes, size_t size, size_t count, void *arg)
{
    flight_t *self = arg;
    size_t left = self->received_max - self->received.size;
    count *= size;
    buf_add(&self->received, bytes, count < left ? count : left);
    if (count <= left)
        return count;
    self->result.is_cut = true;
    return 0; /* nobody wants the rest */
}

static size_t s_on_wanted(char *bytes, size_t size, size_t count, void *arg)
{
    flight_t *self = arg;
    size_t left = self->what.size - self->read, room = size * count;
    size_t given = left < room ? left : room;
    memcpy(bytes, (const char *)self->what.body + self->read, given);
    self->read += given;
    return given;
}

/* libcurl rewinds when a connection that was kept turns out to be dead. */
static int s_on_seek(void *arg, curl_off_t offset, int origin)
{
    flight_t *self = arg;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > self->what.size)
        return CURL_SEEKFUNC_FAIL;
    self->read = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- the handle ------------------------------------------------------------------------------ */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        CURLcode set_code = curl_easy_setopt(self->easy, option, value);                           \
        insist(set_code == CURLE_OK);                                                              \
    } while (0)

static void s_append(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    insist(longer);
    *list = longer;
}

/* "+host:port:address,address": what the name means for this connection, forgotten after a while.
 */
static void s_pin(flight_t *self, const addresses_t *addresses)
{
    char text[ADDRESS_TEXT_SIZE];
    buf_t line = { 0 };
    if (self->url.is_address)
        return;
    buf_printf(&line, "+%s", self->url.target);
    for (size_t i = 0; i < addresses->count; i++) {
        bool is_ipv4 = address_is_ipv4(&addresses->list[i]);
        buf_printf(&line, is_ipv4 ? "%c%s" : "%c[%s]", i ? ',' : ':',
                   address_text(&addresses->list[i], text));
    }
    s_append(&self->pinned, buf_text(&line));
    buf_free(&line);
    SET(CURLOPT_RESOLVE, self->pinned);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)PINNED_S);
}

static void s_set_web(flight_t *self)
{
    bool is_head = strcmp(self->what.verb, "HEAD") == 0;
    SET(CURLOPT_PROTOCOLS_STR, outbound_settings.https_only ? "https" : "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_USERAGENT, USER_AGENT);
    for (const char *const *header = self->what.headers; *header; header++)
        s_append(&self->headers, *header);
    s_append(&self->headers, "Expect:"); /* no pause before a body */
    SET(CURLOPT_HTTPHEADER, self->headers);
    if (self->what.body) {
        SET(CURLOPT_POSTFIELDS, (const char *)self->what.body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)self->what.size);
    }
    if (is_head)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, self->what.verb);
}

static void s_set_mail(flight_t *self)
{
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_MAIL_FROM, self->what.mail_from);
    for (const char *const *to = self->what.mail_to; *to; to++)
        s_append(&self->recipients, *to);
    SET(CURLOPT_MAIL_RCPT, self->recipients);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, s_on_wanted);
    SET(CURLOPT_READDATA, self);
    SET(CURLOPT_SEEKFUNCTION, s_on_seek);
    SET(CURLOPT_SEEKDATA, self);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)self->what.size);
    SET(CURLOPT_USE_SSL, (long)(self->what.requires_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    if (self->what.user && self->what.user[0]) {
        SET(CURLOPT_USERNAME, self->what.user);
        SET(CURLOPT_PASSWORD, self->what.password);
    }
}

void flight_prepare(flight_t *self, const addresses_t *addresses)
{
    self->easy = curl_easy_init();
    insist(self->easy);
    self->received.size = 0;
    self->read = 0;
    SET(CURLOPT_URL, self->url.text);
    SET(CURLOPT_PRIVATE, self);
    SET(CURLOPT_ERRORBUFFER, self->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)self->what.connect_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, s_on_socket);
    SET(CURLOPT_OPENSOCKETDATA, self);
    SET(CURLOPT_WRITEFUNCTION, s_on_received);
    SET(CURLOPT_WRITEDATA, self);
    SET(CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    SET(CURLOPT_CERTINFO, (long)self->what.is_probe);
    SET(CURLOPT_FRESH_CONNECT, (long)self->what.is_probe);
    SET(CURLOPT_FORBID_REUSE, (long)self->what.is_probe);
    if (outbound_settings.ca_file[0])
        SET(CURLOPT_CAINFO, outbound_settings.ca_file);
    s_pin(self, addresses);
    if (s_is_mail(self))
        s_set_mail(self);
    else
        s_set_web(self);
}

/* ---- how it went ----------------------------------------------------------------------------- */

static uint64_t s_time_us(const flight_t *self, CURLINFO info)
{
    curl_off_t us = 0;
    curl_easy_getinfo(self->easy, info, &us);
    return us > 0 ? (uint64_t)us + self->result.dns_us : 0;
}

/* The earliest end of all certificates that were shown. */
static int64_t s_expiry_ms(const flight_t *self)
{
    static const char field[] = "Expire date:";
    struct curl_certinfo *certificates = NULL;
    int64_t earliest = 0;
    if (curl_easy_getinfo(self->easy, CURLINFO_CERTINFO, &certificates) != CURLE_OK)
        return 0;
    for (int i = 0; certificates && i < certificates->num_of_certs; i++)
        for (const struct curl_slist *at = certificates->certinfo[i]; at; at = at->next) {
            if (!text_starts(at->data, field))
                continue;
            int64_t ms = (int64_t)curl_getdate(at->data + sizeof field - 1, NULL) * 1000;
            if (ms > 0 && (earliest == 0 || ms < earliest))
                earliest = ms;
        }
    return earliest;
}

static transfer_outcome_t s_outcome(const flight_t *self, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return TRANSFER_ANSWERED;
    case CURLE_WRITE_ERROR:
        return self->result.is_cut ? TRANSFER_ANSWERED : TRANSFER_BROKEN;
    case CURLE_COULDNT_RESOLVE_HOST:
        return TRANSFER_UNRESOLVED;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return self->fenced ? TRANSFER_FENCED : TRANSFER_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return TRANSFER_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
        return TRANSFER_UNTRUSTED;
    default:
        return TRANSFER_BROKEN;
    }
}

/* The header of the answer that was asked for. */
static void s_read_header(flight_t *self)
{
    struct curl_header *header;
    const char *name = self->what.ask_header;
    if (name && curl_easy_header(self->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        text_copy(self->result.header, sizeof self->result.header, header->value,
                  strlen(header->value));
}

static void s_say_why(flight_t *self, CURLcode code)
{
    transferred_t *result = &self->result;
    if (result->outcome == TRANSFER_FENCED)
        snprintf(result->why, sizeof result->why, "%.100s is %s", self->url.host, self->fenced);
    else if (code != CURLE_OK && !result->is_cut)
        snprintf(result->why, sizeof result->why, "%.60s: %.130s", self->url.target,
                 self->error[0] ? self->error : curl_easy_strerror(code));
}

void flight_read(flight_t *self, CURLcode code)
{
    transferred_t *result = &self->result;
    long status = 0;
    curl_off_t retry_after_s = 0;
    char *address = NULL;
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(self->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    curl_easy_getinfo(self->easy, CURLINFO_PRIMARY_IP, &address);
    result->outcome = s_outcome(self, code);
    result->status = (uint32_t)status;
    /* a server of mails that refuses has answered, whatever step it refused */
    if (s_is_mail(self) && status >= 400)
        result->outcome = TRANSFER_ANSWERED;
    if (retry_after_s > 0)
        result->retry_after_ms =
            (uint32_t)(retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S) *
            1000;
    if (address)
        text_copy(result->address, sizeof result->address, address, strlen(address));
    s_read_header(self);
    result->connect_us = s_time_us(self, CURLINFO_CONNECT_TIME_T);
    result->tls_us = s_time_us(self, CURLINFO_APPCONNECT_TIME_T);
    result->first_byte_us = s_time_us(self, CURLINFO_STARTTRANSFER_TIME_T);
    result->certificate_expires_ms = self->what.is_probe ? s_expiry_ms(self) : 0;
    result->body = self->received.bytes;
    result->body_size = self->received.size;
    s_say_why(self, code);
}

/* ---- redirects ------------------------------------------------------------------------------- */

bool flight_turn(flight_t *self)
{
    static const char *const none[] = { NULL };
    char *to = NULL, why[URL_WHY_SIZE];
    url_t next;
    bool is_safe = self->what.verb &&
                   (strcmp(self->what.verb, "GET") == 0 || strcmp(self->what.verb, "HEAD") == 0);
    if (self->result.outcome != TRANSFER_ANSWERED || self->hops >= self->what.redirects ||
        !is_safe || curl_easy_getinfo(self->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
        return false;
    if (!url_read(&next, to, URL_WEB, why)) {
        self->result.outcome = TRANSFER_FENCED;
        snprintf(self->result.why, sizeof self->result.why, "A redirect leads astray: %s", why);
        return false;
    }
    if (strcmp(next.target, self->url.target) != 0 || next.is_tls != self->url.is_tls)
        self->what.headers = none;
    self->url = next;
    self->hops++;
    self->hop_us = clock_us();
    flight_drop_handle(self);
    self->result = (transferred_t){ .redirects = self->hops };
    return true;
}
