/* SPDX-License-Identifier: MPL-2.0
 *
 * address - the host in a URL, and whether it is out on the Internet
 */
#include "config.h"

#include "actors/analysis/address.h"

#define HOST_BYTES_MAX   253 /* RFC 1035, 2.3.4 */
#define SCHEME_BYTES_MAX 10
#define URL_BYTES_MAX    1024 /* of the start of a URL, which is all that is looked at */

/* The part in front of the first of the letters, or all of it. */
static slice_t s_before(slice_t text, const char *letters)
{
    uint32_t end = 0;
    while (end < text.size && !strchr(letters, text.text[end]))
        end++;
    return slice_make(text.text, end);
}

slice_t address_host(slice_t url)
{
    const slice_t none = slice_make("", 0);
    if (slice_starts(url, "="))
        url = slice_after(url, 1);
    url = slice_cut(url, URL_BYTES_MAX);
    const char *mark = slice_find(url, "://");
    if (!mark || mark - url.text > SCHEME_BYTES_MAX)
        return none;
    slice_t authority = s_before(slice_after(url, (size_t)(mark - url.text) + 3), "/?#");
    const char *at = memrchr(authority.text, '@', authority.size);
    if (at)
        authority = slice_after(authority, (size_t)(at - authority.text) + 1);
    slice_t host = s_before(authority, ":");
    bool is_literal = s_before(host, "{}$<>[]() \"'`\\\n").size == host.size;
    return is_literal && host.size <= HOST_BYTES_MAX ? host : none;
}

static bool s_is_private_number(slice_t host)
{
    static const char *const ranges[] = { "10.", "127.", "192.168.", "169.254.", "0.", NULL };
    for (const char *const *range = ranges; *range; range++)
        if (slice_starts(host, *range))
            return true;
    /* 172.16.0.0/12 */
    int64_t second;
    const char *dot = host.size > 4 ? memchr(host.text + 4, '.', host.size - 4) : NULL;
    return slice_starts(host, "172.") && dot &&
           text_to_i64(host.text + 4, (size_t)(dot - host.text) - 4, &second) && second >= 16 &&
           second <= 31;
}

bool address_is_public(slice_t host)
{
    static const char *const endings[] = { ".local",      ".localhost",  ".internal", ".lan",
                                           ".home",       ".arpa",       ".test",     ".example",
                                           ".invalid",    ".corp",       ".intranet", "example.com",
                                           "example.org", "example.net", NULL };
    if (!memchr(host.text, '.', host.size) || s_is_private_number(host) ||
        slice_has_folded(host, "your") || slice_ends(host, "."))
        return false;
    for (const char *const *ending = endings; *ending; ending++)
        if (slice_ends(host, *ending))
            return false;
    return true;
}
