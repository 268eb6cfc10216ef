/* SPDX-License-Identifier: MPL-2.0
 *
 * guard - decides whether the bytes of a request's head are one HTTP request and nothing else
 *
 * Sections in comments are those of RFC 9112 unless another RFC is named.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "edge/guard.h"
#include "edge/target.h"

#define METHOD_BYTES 32 /* longer ones are nobody's */
#define LENGTH_CHARS 18 /* of Content-Length: below 2^63 */

static const guard_row_t s_rows[GUARD_VERDICTS] = {
    [GUARD_GOOD] = { ERROR_NONE, "The head is good" },
    [GUARD_BAD_LINE] = { ERROR_BAD_REQUEST,
                         "The first line is not a method, a space, a target, a space, HTTP/x.y" },
    [GUARD_BARE_LF] = { ERROR_BAD_REQUEST, "A line ends in LF alone; every line ends in CR LF" },
    [GUARD_BAD_TARGET] = { ERROR_BAD_REQUEST,
                           "The target is not a path, an http address, or * with OPTIONS" },
    [GUARD_LONG_TARGET] = { ERROR_URI_TOO_LONG, "" },
    [GUARD_BAD_VERSION] = { ERROR_VERSION_NOT_SUPPORTED, "" },
    [GUARD_UNKNOWN_METHOD] = { ERROR_NOT_IMPLEMENTED, "No resource here knows this method" },
    [GUARD_REFUSED_METHOD] = { ERROR_METHOD_NOT_ALLOWED, "TRACE and CONNECT are not offered" },
    [GUARD_FOLDED] = { ERROR_BAD_REQUEST,
                       "A header line begins with white space; headers cannot be folded" },
    [GUARD_NAME_SPACE] = { ERROR_BAD_REQUEST,
                           "White space stands between a header's name and its colon" },
    [GUARD_BAD_NAME] = { ERROR_BAD_REQUEST,
                         "A header line does not begin with a name and a colon" },
    [GUARD_BAD_VALUE] = { ERROR_BAD_REQUEST, "A header's value holds a control character" },
    [GUARD_MANY_HEADERS] = { ERROR_HEADERS_TOO_LARGE, "There are more than 64 headers" },
    [GUARD_LARGE_HEAD] = { ERROR_HEADERS_TOO_LARGE, "" },
    [GUARD_NO_HOST] = { ERROR_BAD_REQUEST, "The Host header is missing" },
    [GUARD_TWO_HOSTS] = { ERROR_BAD_REQUEST, "The Host header stands more than once" },
    [GUARD_BAD_HOST] = { ERROR_BAD_REQUEST, "The Host header is not a host with an optional port" },
    [GUARD_BAD_LENGTH] = { ERROR_BAD_REQUEST, "Content-Length is not a decimal number" },
    [GUARD_TWO_LENGTHS] = { ERROR_BAD_REQUEST, "Content-Length stands more than once" },
    [GUARD_LENGTH_AND_CODING] = { ERROR_BAD_REQUEST,
                                  "Content-Length and Transfer-Encoding contradict each other" },
    [GUARD_CODING_IN_1_0] = { ERROR_BAD_REQUEST, "HTTP/1.0 has no Transfer-Encoding" },
    [GUARD_BAD_CODING] = { ERROR_BAD_REQUEST, "Transfer-Encoding is not 'chunked', once" },
    [GUARD_UNKNOWN_CODING] = { ERROR_NOT_IMPLEMENTED,
                               "No transfer coding but 'chunked' is offered" },
    [GUARD_BAD_EXPECT] = { ERROR_EXPECTATION_FAILED, "Expect may only be '100-continue'" },
    [GUARD_TIMEOUT] = { ERROR_REQUEST_TIMEOUT, "" },
};

const guard_row_t *guard_row(guard_verdict_t verdict)
{
    insist(verdict < GUARD_VERDICTS);
    return &s_rows[verdict];
}

size_t guard_blank(const char *bytes, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (bytes[at] == '\n')
            at++;
        else if (bytes[at] == '\r' && at + 1 < size && bytes[at + 1] == '\n')
            at += 2;
        else
            break;
    }
    return at;
}

size_t guard_end(const char *bytes, size_t size, size_t *scanned)
{
    const char *at = bytes + *scanned, *end = bytes + size;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        const char *next = at + 1;
        if (next < end && *next == '\r')
            next++;
        if (next == end) /* what decides has not come yet: look at this line feed again */
            break;
        if (*next == '\n') {
            *scanned = (size_t)(next + 1 - bytes);
            return *scanned;
        }
        at++;
    }
    *scanned = at ? (size_t)(at - bytes) : size;
    return 0;
}

guard_verdict_t guard_partial(const char *bytes, size_t size, const guard_limits_t *limits)
{
    size_t line_max = limits->target_bytes + GUARD_LINE_EXTRA;
    if (size && !http_is_token_char(bytes[0]))
        return GUARD_BAD_LINE;
    if (size > line_max && !memchr(bytes, '\n', line_max))
        return GUARD_LONG_TARGET;
    if (size >= line_max + limits->headers_bytes)
        return GUARD_LARGE_HEAD;
    return GUARD_GOOD;
}

/* ---- the request line ----------------------------------------------------------------------- */

static bool s_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static guard_verdict_t s_check_version(const char *text, size_t size, guard_head_t *head)
{
    if (size != 8 || memcmp(text, "HTTP/", 5) != 0 || !s_is_digit(text[5]) || text[6] != '.' ||
        !s_is_digit(text[7]))
        return GUARD_BAD_LINE;
    if (text[5] != '1' || text[7] > '1')
        return GUARD_BAD_VERSION;
    head->is_1_0 = text[7] == '0';
    return GUARD_GOOD;
}

static guard_verdict_t s_check_method(const char *text, size_t size, guard_head_t *head)
{
    for (size_t i = 0; i < size; i++)
        if (!http_is_token_char(text[i]))
            return GUARD_BAD_LINE;
    if (size == 0)
        return GUARD_BAD_LINE;
    if (size > METHOD_BYTES)
        return GUARD_UNKNOWN_METHOD;
    head->verb = http_verb_find(text, size);
    if (head->verb < HTTP_VERBS)
        return GUARD_GOOD;
    return (size == 5 && memcmp(text, "TRACE", 5) == 0) ||
                   (size == 7 && memcmp(text, "CONNECT", 7) == 0)
               ? GUARD_REFUSED_METHOD
               : GUARD_UNKNOWN_METHOD;
}

/* The line without its CR LF; `*line_size` is its size afterwards. */
static guard_verdict_t s_check_line(char *line, size_t *line_size, const guard_limits_t *limits,
                                    guard_head_t *head, target_t *target)
{
    char *end = line + *line_size, *space = memchr(line, ' ', *line_size);
    char *last = memrchr(line, ' ', *line_size);
    if (!space || space == last || last == space + 1)
        return GUARD_BAD_LINE;
    char *at = space + 1;
    size_t method_size = (size_t)(space - line), size = (size_t)(last - at);
    guard_verdict_t verdict = s_check_version(last + 1, (size_t)(end - last) - 1, head);
    if (!verdict)
        verdict = s_check_method(line, method_size, head);
    if (verdict)
        return verdict;
    if (size > limits->target_bytes)
        return GUARD_LONG_TARGET;
    if (!target_read(target, at, &size, head->verb == HTTP_OPTIONS))
        return GUARD_BAD_TARGET;
    head->is_asterisk = target->is_asterisk;
    head->host_is_loopback = target->host_is_loopback;
    memmove(at + size, last, (size_t)(end - last));
    *line_size -= (size_t)(last - at) - size;
    return GUARD_GOOD;
}

/* ---- headers -------------------------------------------------------------------------------- */

/* What has been seen of the headers that may stand once. */
typedef struct {
    bool host, length, coding, connection, close, keep, upgrade;
    bool absolute; /* the target named the host: Host is checked, but does not count */
} seen_t;

static guard_verdict_t s_on_host(const char *value, size_t size, guard_head_t *head, seen_t *seen)
{
    size_t host_size;
    if (seen->host)
        return GUARD_TWO_HOSTS;
    seen->host = true;
    if (!target_is_authority(value, size, &host_size))
        return GUARD_BAD_HOST;
    if (!seen->absolute)
        head->host_is_loopback = target_is_loopback(value, host_size);
    return GUARD_GOOD;
}

static guard_verdict_t s_on_length(const char *value, size_t size, guard_head_t *head, seen_t *seen)
{
    if (seen->length)
        return GUARD_TWO_LENGTHS;
    seen->length = true;
    if (size == 0 || size > LENGTH_CHARS)
        return GUARD_BAD_LENGTH;
    for (size_t i = 0; i < size; i++) {
        if (!s_is_digit(value[i]))
            return GUARD_BAD_LENGTH;
        head->length = head->length * 10 + (uint64_t)(value[i] - '0');
    }
    return GUARD_GOOD;
}

/* Only a body whose last coding is "chunked", once, has an end that can be found (6.1, 6.3). */
static guard_verdict_t s_on_coding(const char *value, size_t size, guard_head_t *head, seen_t *seen)
{
    if (seen->coding)
        return GUARD_BAD_CODING;
    seen->coding = true;
    if (size == 7 && strncasecmp(value, "chunked", 7) == 0) {
        head->is_chunked = true;
        return GUARD_GOOD;
    }
    /* "gzip, chunked" is well-formed, and not offered; "identity" and the like never are */
    return size > 8 && strncasecmp(value + size - 7, "chunked", 7) == 0 &&
                   strchr(", \t", value[size - 8]) && strncasecmp(value, "chunked", 7) != 0 &&
                   strncasecmp(value, "identity", 8) != 0
               ? GUARD_UNKNOWN_CODING
               : GUARD_BAD_CODING;
}

static guard_verdict_t s_on_expect(const char *value, size_t size, guard_head_t *head, seen_t *seen)
{
    (void)seen;
    if (size != 12 || strncasecmp(value, "100-continue", 12) != 0)
        return GUARD_BAD_EXPECT;
    head->expects_continue = !head->is_1_0; /* RFC 9110, 10.1.1 */
    return GUARD_GOOD;
}

static guard_verdict_t s_on_connection(const char *value, size_t size, guard_head_t *head,
                                       seen_t *seen)
{
    (void)head;
    seen->connection = true;
    for (size_t at = 0; at < size;) {
        size_t from = at;
        while (at < size && !strchr(", \t", value[at]))
            at++;
        size_t length = at - from;
        seen->close |= length == 5 && strncasecmp(value + from, "close", 5) == 0;
        seen->keep |= length == 10 && strncasecmp(value + from, "keep-alive", 10) == 0;
        seen->upgrade |= length == 7 && strncasecmp(value + from, "upgrade", 7) == 0;
        at += at < size;
    }
    return GUARD_GOOD;
}

static const struct {
    const char *name;
    guard_verdict_t (*check)(const char *value, size_t size, guard_head_t *head, seen_t *seen);
} s_checks[] = {
    { "host", s_on_host },
    { "content-length", s_on_length },
    { "transfer-encoding", s_on_coding },
    { "expect", s_on_expect },
    { "connection", s_on_connection },
};

/* Finds the value's ends and makes it plain: no tabs, and the space behind it before it, since
 * civetweb refuses the one and takes the other for a part of the value. */
static bool s_tidy_value(char **value, char **end)
{
    for (char *c = *value; c < *end; c++) {
        if (*c == '\t')
            *c = ' ';
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    while (*value < *end && **value == ' ')
        (*value)++;
    size_t behind = 0;
    while (*end - (ptrdiff_t)behind > *value && (*end)[-(ptrdiff_t)behind - 1] == ' ')
        behind++;
    if (behind) {
        memmove(*value + behind, *value, (size_t)(*end - *value) - behind);
        memset(*value, ' ', behind);
        *value += behind;
    }
    return true;
}

/* One header line without its CR LF. */
static guard_verdict_t s_check_header(char *line, char *end, guard_head_t *head, seen_t *seen)
{
    if (*line == ' ' || *line == '\t')
        return GUARD_FOLDED;
    char *colon = line;
    while (colon < end && http_is_token_char(*colon))
        colon++;
    if (colon == line || colon == end)
        return GUARD_BAD_NAME;
    if (*colon != ':')
        return *colon == ' ' || *colon == '\t' ? GUARD_NAME_SPACE : GUARD_BAD_NAME;
    char *value = colon + 1;
    size_t name_size = (size_t)(colon - line);
    if (!s_tidy_value(&value, &end))
        return GUARD_BAD_VALUE;
    for (size_t i = 0; i < COUNT_OF(s_checks); i++)
        if (strlen(s_checks[i].name) == name_size &&
            strncasecmp(s_checks[i].name, line, name_size) == 0)
            return s_checks[i].check(value, (size_t)(end - value), head, seen);
    return GUARD_GOOD;
}

static guard_verdict_t s_check_headers(char *at, char *end, guard_head_t *head, seen_t *seen)
{
    for (unsigned count = 0;; count++) {
        char *feed = memchr(at, '\n', (size_t)(end - at));
        if (!feed) /* the head ends in an empty line: guard_end saw it */
            return GUARD_BAD_LINE;
        if (feed == at || feed[-1] != '\r')
            return GUARD_BARE_LF;
        if (feed - 1 == at)
            return GUARD_GOOD;
        if (count == GUARD_HEADERS_MAX)
            return GUARD_MANY_HEADERS;
        guard_verdict_t verdict = s_check_header(at, feed - 1, head, seen);
        if (verdict)
            return verdict;
        at = feed + 1;
    }
}

/* civetweb's rule for serving another request on the connection, so that what the answer says and
 * what happens are the same: any Connection header without keep-alive closes. */
static bool s_keeps(const guard_head_t *head, const seen_t *seen)
{
    if (seen->connection)
        return seen->keep && !seen->close && !seen->upgrade;
    return !head->is_1_0;
}

guard_verdict_t guard_check(char *bytes, size_t *size, const guard_limits_t *limits,
                            guard_head_t *head)
{
    seen_t seen = { 0 };
    target_t target;
    *head = (guard_head_t){ 0 };
    char *feed = memchr(bytes, '\n', *size);
    if (!feed || feed == bytes || feed[-1] != '\r')
        return GUARD_BARE_LF;
    if (*size - (size_t)(feed - bytes) > limits->headers_bytes + 3)
        return GUARD_LARGE_HEAD;
    size_t before = (size_t)(feed - 1 - bytes), after = before;
    guard_verdict_t verdict = s_check_line(bytes, &after, limits, head, &target);
    if (verdict)
        return verdict;
    if (after < before)
        memmove(bytes + after, bytes + before, *size - before);
    *size -= before - after;
    seen.absolute = target.is_absolute;
    verdict = s_check_headers(bytes + after + 2, bytes + *size, head, &seen);
    if (verdict)
        return verdict;
    if (!seen.host && !head->is_1_0)
        return GUARD_NO_HOST;
    if (seen.coding && head->is_1_0)
        return GUARD_CODING_IN_1_0;
    if (seen.coding && seen.length)
        return GUARD_LENGTH_AND_CODING;
    head->keep_alive = s_keeps(head, &seen);
    return GUARD_GOOD;
}
