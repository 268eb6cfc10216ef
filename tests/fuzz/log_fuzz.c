/* SPDX-License-Identifier: MPL-2.0
 *
 * Whatever fields hold, a line is one line of JSON without control characters; and whatever a
 * secret stands behind, it is not in the line. The line is caught in a file in place of standard
 * error and read back by our own reader.
 */
#include "config.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "actors/base/log_parts.h"
#include "actors/base/redact.h"
#include "actors/base/text.h"
#include "proto/json.h"
#include "tests/fuzz/fuzz.h"

#define LINE_MOST 4096
#define TEXT_MOST 65536

static char s_line[LINE_MOST + 1];

/* Standard error becomes a file in memory, the first time. */
static int s_catch(void)
{
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("log", MFD_CLOEXEC);
        insist(fd >= 0 && log_set_format("json"));
    }
    insist(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static size_t s_log(const char *text, const uint8_t *bytes, size_t size)
{
    const int fd = s_catch(), before = dup(STDERR_FILENO);
    insist(before >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    log_set_part(text);
    log_set_request(text, text);
    LOG(LOG_ERROR, "fuzz", LOG_BYTES("bytes", (const char *)bytes, size), LOG_TEXT("text", text),
        LOG_BYTES("again", (const char *)bytes, size), LOG_BYTES("more", (const char *)bytes, size),
        LOG_FLOAT("number", (double)size / 3), LOG_BYTES("last", (const char *)bytes, size),
        LOG_INT("size", size), LOG_FLAG("flag", size & 1));
    insist(dup2(before, STDERR_FILENO) >= 0);
    close(before);
    const ssize_t got = pread(fd, s_line, LINE_MOST, 0);
    insist(got > 0);
    return (size_t)got;
}

static void s_check_line(size_t line)
{
    buf_t msgpack = { 0 };
    json_error_t error;
    insist(s_line[line - 1] == '\n');
    for (size_t i = 0; i + 1 < line; i++)
        insist((unsigned char)s_line[i] >= ' ' && s_line[i] != '\x7f');
    insist(json_to_msgpack(s_line, line - 1, VALUE_LIMITS, 0, &msgpack, &error));
    buf_free(&msgpack);
}

/* The secret stands in the middle of what came, unless that says the same. */
static void s_check_secret(const uint8_t *bytes, size_t size)
{
    static const char secret[] = "sbx_live_0123456789abcdef_PLANTEDplanted";
    buf_t text = { 0 };
    if (size && memmem(bytes, size, "PLANT", 5))
        return;
    buf_add(&text, bytes, size / 2);
    buf_add_text(&text, secret);
    buf_add(&text, bytes + size / 2, size - size / 2);
    const size_t line = s_log("", text.bytes, text.size);
    s_check_line(line);
    insist(!memmem(s_line, line, "PLANTED", 7));
    buf_free(&text);
}

/* A password is a sentence, quotes and all: what came is in the middle of it. */
static void s_check_sentence(const uint8_t *bytes, size_t size)
{
    buf_t password = { 0 }, text = { 0 };
    if (size && (!text_is_utf8((const char *)bytes, size) || memmem(bytes, size, "PLANT", 5)))
        return;
    buf_add_text(&password, "a PLANTED ");
    buf_add(&password, bytes, size);
    buf_add_text(&password, " word, PLANTED");
    buf_add_text(&text, "{\"password\": ");
    json_add_text(&text, (const char *)password.bytes, password.size);
    buf_add_text(&text, ", \"n\": 1}");
    const size_t line = s_log("", text.bytes, text.size);
    s_check_line(line);
    insist(!memmem(s_line, line, "PLANTED", 7));
    buf_free(&password);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char text[TEXT_MOST];
    const size_t kept = size < sizeof text - 1 ? size : sizeof text - 1;
    if (kept)
        memcpy(text, bytes, kept);
    text[kept] = '\0';
    s_check_line(s_log(text, bytes, size));
    s_check_secret(bytes, size);
    s_check_sentence(bytes, size);
    redact_is_secret_key(text, strlen(text));
    return 0;
}
