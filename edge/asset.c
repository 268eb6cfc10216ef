/* SPDX-License-Identifier: MPL-2.0
 *
 * asset - the files of the API page
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/asset.h"
#include "edge/negotiate.h"
#include "edge/respond.h"
#include "edge/state.h"

#define ASSET_BYTES_MAX (16 * 1024 * 1024)
#define INSTALLED       PKGDATADIR "/edge/web" /* by `make install`, without swagger-ui */
#define PATH_BYTES      4352                   /* the longest web_root and a file's name */
#define PAGE_PATH       "/api-docs"

/* Scripts name their charset: without it a browser would guess. */
static const struct {
    const char *path, *file, *media;
} s_assets[] = {
    { PAGE_PATH, "api-docs.html", "text/html; charset=utf-8" },
    { "/api-docs/page.css", "page.css", "text/css; charset=utf-8" },
    { "/api-docs/page.js", "page.js", "text/javascript; charset=utf-8" },
    { "/api-docs/swagger-ui.css", "swagger-ui.css", "text/css; charset=utf-8" },
    { "/api-docs/swagger-ui-bundle.js", "swagger-ui-bundle.js", "text/javascript; charset=utf-8" },
};

static const char s_missing_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>API</title></head><body>\n"
    "<h1>API</h1>\n"
    "<p>The API is described in <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1).</p>\n"
    "<p>To browse it on this page, fetch swagger-ui's files once with npm:</p>\n"
    "<pre>deploy/fetch-swagger FOLDER</pre>\n"
    "<p>and start the edge with <code>edge.web_root</code> set to FOLDER/edge/web.</p>\n"
    "</body></html>\n";

static int s_open(const edge_t *edge, const char *file, const char *suffix, struct stat *status)
{
    char path[PATH_BYTES];
    const char *folder = edge->settings->web_root;
    snprintf(path, sizeof path, "%s/%s%s", folder[0] ? folder : INSTALLED, file, suffix);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && (fstat(fd, status) != 0 || !S_ISREG(status->st_mode) ||
                    status->st_size > ASSET_BYTES_MAX)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool s_read(int fd, const struct stat *status, buf_t *out)
{
    size_t size = (size_t)status->st_size;
    uint8_t *to = buf_reserve(out, size + 1);
    while (out->size < size) {
        ssize_t got = read(fd, to + out->size, size - out->size);
        if (got <= 0)
            break;
        out->size += (size_t)got;
    }
    close(fd);
    return out->size == size;
}

static bool s_exists(const edge_t *edge, const char *file)
{
    struct stat status;
    int fd = s_open(edge, file, "", &status);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void s_answer_missing(exchange_t *x)
{
    respond(x, &(response_t){ .status = 200,
                              .media = "text/html; charset=utf-8",
                              .bytes = s_missing_page,
                              .size = sizeof s_missing_page - 1,
                              .policy = POLICY_PAGE });
}

void asset_serve(exchange_t *exchange)
{
    edge_t *edge = exchange->edge;
    struct stat status;
    char tag[40];
    size_t i = 0;
    while (strcmp(s_assets[i].path, exchange->pattern) != 0)
        insist(++i < COUNT_OF(s_assets));

    bool wants_packed = !exchange->headers[HEADER_X_NO_COMPRESSION] &&
                        negotiate_gzip(exchange->headers[HEADER_ACCEPT_ENCODING]);
    bool is_page = strcmp(s_assets[i].path, PAGE_PATH) == 0;
    int fd = -1, packed = wants_packed ? s_open(edge, s_assets[i].file, ".gz", &status) : -1;
    if (packed < 0 && !(is_page && !s_exists(edge, "swagger-ui-bundle.js")))
        fd = s_open(edge, s_assets[i].file, "", &status);
    if (packed < 0 && fd < 0) {
        if (is_page)
            s_answer_missing(exchange);
        else
            exchange_fail(exchange, ERROR_NOT_FOUND, "The file is not in edge.web_root");
        return;
    }
    if (!s_read(packed < 0 ? fd : packed, &status, &exchange->content)) {
        exchange_fail(exchange, ERROR_INTERNAL, "The file could not be read");
        return;
    }
    snprintf(tag, sizeof tag, "%llx-%llx%09lx", (unsigned long long)status.st_size,
             (unsigned long long)status.st_mtim.tv_sec, (unsigned long)status.st_mtim.tv_nsec);
    respond(exchange, &(response_t){ .status = 200,
                                     .media = s_assets[i].media,
                                     .bytes = exchange->content.bytes,
                                     .size = exchange->content.size,
                                     .policy = POLICY_PAGE,
                                     .is_tagged = true,
                                     .tag = tag,
                                     .coding = packed < 0 ? NULL : "gzip",
                                     .caching = "public, no-cache" });
}
