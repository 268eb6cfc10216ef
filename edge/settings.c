/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - what can be set about the edge, and whether it can be
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "edge/settings.h"

#define ROW(field) .name = #field, .offset = offsetof(edge_settings_t, field)
#define TEXT(field, value, bytes)                                                                  \
    ROW(field), .type = SETTING_TEXT, .preset = (value), .max = (bytes)
#define NUMBER(field, value, least, most, of)                                                      \
    ROW(field), .type = SETTING_INT, .preset = (value), .min = (least), .max = (most), .unit = (of)
#define FLAG(field, value) ROW(field), .type = SETTING_BOOL, .preset = (value)

const setting_t edge_setting_rows[] = {
    { TEXT(address, "127.0.0.1", 15),
      .about = "IPv4 address to listen on; 0.0.0.0 listens on all of them." },
    { NUMBER(port, "8080", 0, 65535, NULL), .about = "Port; 0 lets the system choose one." },
    { TEXT(brokers, "", 4096),
      .about =
          "Endpoints of the brokers that take a caller's identity from this edge, separated by "
          "commas; empty for edge.sock in the data folder." },
    { NUMBER(threads, "512", 8, 4096, "threads"),
      .about = "Connections served at once: each open one has a thread." },
    { FLAG(allow_anonymous, "false"),
      .about = "Lets callers in who have not signed in, as the account 'anonymous'; only for hosts "
               "of this machine, and never behind a proxy." },
    { NUMBER(uri_bytes, "8192", 256, 65536, "bytes"), .about = "Longest address of a request." },
    { NUMBER(headers_bytes, "16384", 1024, 65536, "bytes"),
      .about = "Headers of a request, all together." },
    { NUMBER(body_bytes, "8388608", 1024, 268435456, "bytes"), .about = "Body of a request." },
    { NUMBER(head_ms, "10000", 100, 120000, "ms"),
      .about = "From the first byte of a request to the end of its headers." },
    { NUMBER(body_ms, "30000", 100, 600000, "ms"),
      .about = "From the end of the headers to the end of the body." },
    { NUMBER(write_ms, "30000", 100, 600000, "ms"),
      .about = "How long a client may take to receive an answer." },
    { NUMBER(slow_ms, "1000", 1, 600000, "ms"), .reloadable = true,
      .about = "A request that takes longer is logged as slow, and counted." },
    { NUMBER(keep_alive_ms, "5000", 100, 600000, "ms"),
      .about = "How long a connection may wait for its next request." },
    { NUMBER(drain_ms, "10000", 0, 600000, "ms"),
      .about = "How long leaving waits for requests under way." },
    { NUMBER(connections_per_address, "0", 0, 4096, NULL),
      .about = "Connections of one address at once; 0 sets no limit, as a proxy in front needs." },
    { NUMBER(gzip_level, "1", 0, 9, NULL),
      .about = "How hard bodies are packed, 1 (fast) to 9 (small); 0 packs none." },
    { NUMBER(gzip_bytes, "1024", 64, 1048576, "bytes"), .about = "Smaller bodies are not packed." },
    { TEXT(cors_origins, "", 4096),
      .about = "Origins whose pages may call the API, separated by spaces; empty for none." },
    { TEXT(grants, "", 4096),
      .about = "Paths and public access given to services beyond their own name: "
               "'billing:/v1/invoices billing:public'." },
    { TEXT(required, "", 1024),
      .about =
          "Services without which /health/ready and /health answer 503, separated by spaces." },
    { NUMBER(load_per_processor, "10", 0, 10000, "tasks"),
      .about =
          "From which load for each processor on /health says that it is degraded; 0: never." },
    { TEXT(web_root, "", 4096),
      .about = "Folder with the files of the API page, which deploy/fetch-swagger makes; empty for "
               "the installed one." },
    { NUMBER(events_percent, "25", 0, 50, "percent"),
      .about = "Share of the threads that event streams may take." },
    { NUMBER(events_waiting, "256", 1, 65536, NULL),
      .about = "Events that may wait for one slow stream; more are dropped and counted." },
    { NUMBER(events_heartbeat_ms, "15000", 100, 60000, "ms"),
      .about = "Longest silence on an event stream." },
    { FLAG(limits, "true"),
      .about =
          "Counts requests against the rate limits of the service 'limiter'; off lets all pass "
          "uncounted. While it is on and no limiter answers, cheap requests pass under "
          "edge.degraded_requests and the others are refused." },
    { NUMBER(lease, "250", 0, 1000, NULL),
      .about = "Most uses that a busy caller is lent in advance, so that the limiter is not asked "
               "for each; 0 asks for each." },
    { NUMBER(degraded_requests, "60", 1, 1000000, "per minute"),
      .about = "Requests of one caller that this edge lets pass while no limiter answers." },
    { NUMBER(cache_bytes, "16777216", 0, 4294967296, "bytes"),
      .about = "Memory for copies of answers that may be given again, at most five seconds old; 0 "
               "keeps none." },
    { TEXT(trusted_proxies, "", 4096),
      .about = "Networks of the proxies whose X-Forwarded-For is believed, such as "
               "'127.0.0.0/8 10.0.0.0/8 2001:db8::/32'; empty for none." },
    { TEXT(admin_networks, "127.0.0.0/8", 4096),
      .about = "Networks from which what is for administrators may be called; empty for none." },
    { TEXT(upgrade_url, "", 2048),
      .about = "Where a caller who has reached a limit finds larger ones; empty for nowhere." },
    { TEXT(tls_certificate, "", 4096),
      .about = "Not offered: TLS is for nginx or HAProxy in front (deploy/nginx.conf, "
               "deploy/haproxy.cfg)." },
    { 0 },
};

/* ---- checking -------------------------------------------------------------------------------- */

bool edge_refuse(char *why, size_t why_size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return false;
}

/* What a browser sends as its Origin (RFC 6454, 6.2): anything else would never be equal to it, and
 * `*` would let any page act for whoever looks at it. */
static bool s_is_origin(const char *text, size_t size)
{
    const size_t scheme = text_starts(text, "https://") ? 8 : text_starts(text, "http://") ? 7 : 0;
    return scheme && size > scheme &&
           strspn(text + scheme, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") >= size - scheme;
}

static bool s_check_origins(const char *list, char *why, size_t why_size)
{
    while (*(list += strspn(list, " ,"))) {
        const size_t size = strcspn(list, " ,");
        if (!s_is_origin(list, size))
            return edge_refuse(why, why_size,
                               "edge.cors_origins: '%.*s' is not like 'https://console.example' or "
                               "'http://localhost:3000'; each origin must be named",
                               (int)size, list);
        list += size;
    }
    return true;
}

bool edge_settings_check(const edge_settings_t *settings, char *why, size_t why_size)
{
    struct in_addr address;
    if (settings->tls_certificate[0])
        return edge_refuse(
            why, why_size,
            "edge.tls_certificate: the edge speaks no TLS; put nginx or HAProxy in front "
            "(deploy/nginx.conf, deploy/haproxy.cfg)");
    if (inet_pton(AF_INET, settings->address, &address) != 1)
        return edge_refuse(why, why_size, "edge.address: '%s' is not an IPv4 address",
                           settings->address);
    return s_check_origins(settings->cors_origins, why, why_size);
}
