/* SPDX-License-Identifier: MPL-2.0
 *
 * Which method a path leads to, and who may bind it.
 */
#include "config.h"

#include "actors/base/log.h"
#include "edge/routes.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

#define METHOD(name, access, route)                                                                \
    "{\"name\":\"" name "\",\"access\":\"" access "\",\"request\":{\"type\":\"object\","           \
    "\"properties\":{\"id\":{},\"part\":{},\"other\":{}}},\"http\":{\"route\":\"" route "\"}}"
#define SERVICE(name, methods)                                                                     \
    "{\"service\":\"" name "\",\"version\":\"1.0.0\",\"methods\":[" methods "]}"

static arena_t s_arena;

/* A routing of these services, and how many of their routes were refused. */
static routing_t *s_build(const char *grants_text, const char *const *services, size_t count,
                          size_t *refused)
{
    static grants_t grants;
    char why[200];
    offer_t offers[8];
    routing_report_t report;
    if (!grants_read(&grants, grants_text, why, sizeof why))
        die("%s", why);
    for (size_t i = 0; i < count; i++)
        offers[i] =
            (offer_t){ .described = described_new(described_read(services[i])), .is_live = true };
    routing_t *routing = routing_build(offers, count, &grants, &report);
    for (size_t i = 0; i < count; i++)
        described_drop(&offers[i].described);
    grants_free(&grants);
    *refused = report.refused;
    return routing;
}

/* "service.method", or the verbs that are allowed, or "". */
static const char *s_find(const routing_t *routing, http_verb_t verb, const char *text)
{
    static char name[HTTP_ALLOW_SIZE];
    path_t path;
    ok(path_read(&path, text, strlen(text), &s_arena) == NULL);
    found_t found = routing_find(routing, &path, verb);
    if (!found.route)
        return http_allow(found.allowed, name);
    snprintf(name, sizeof name, "%s.%s", found.route->descriptor->service,
             found.route->method->name);
    return name;
}

static const char s_shop[] = SERVICE(
    "shop",
    METHOD("list", "user", "GET /v1/shop/things") "," METHOD("create", "user", "POST /v1/shop/things") "," METHOD("get", "user", "GET /v1/shop/things/{id}") "," METHOD(
        "best", "user",
        "GET /v1/shop/things/best") "," METHOD("remove", "user",
                                               "DELETE /v1/shop/things/{id}") "," METHOD("part",
                                                                                         "user",
                                                                                         "GET "
                                                                                         "/v1/shop/"
                                                                                         "things/"
                                                                                         "{id}/"
                                                                                         "parts/"
                                                                                         "{part}") "," METHOD("batch",
                                                                                                              "user",
                                                                                                              "POST /v1/shop/things:batch") ","
                                                                                                                                            "{\"name\":\"inner\",\"request\":{\"type\":\"object\"}}");

static void test_finding(void)
{
    static const struct {
        http_verb_t verb;
        const char *path, *found;
    } cases[] = {
        { HTTP_GET, "/v1/shop/things", "shop.list" },
        { HTTP_HEAD, "/v1/shop/things", "shop.list" },
        { HTTP_POST, "/v1/shop/things", "shop.create" },
        { HTTP_GET, "/v1/shop/things/5", "shop.get" },
        { HTTP_GET, "/v1/shop/things/%62est", "shop.best" },
        { HTTP_GET, "/v1/shop/things/bes", "shop.get" },
        { HTTP_DELETE, "/v1/shop/things/best", "shop.remove" },
        { HTTP_GET, "/v1/shop/things/best/parts/2", "shop.part" },
        { HTTP_POST, "/v1/shop/things:batch", "shop.batch" },
        { HTTP_PUT, "/v1/shop/things", "GET, HEAD, POST" },
        { HTTP_POST, "/v1/shop/things/best", "GET, HEAD, DELETE" },
        { HTTP_GET, "/v1/shop/things/", "" },
        { HTTP_GET, "/v1/shop", "" },
        { HTTP_GET, "/", "" },
        { HTTP_GET, "/v1/shop/things/5/parts", "" },
        { HTTP_GET, "/v1/shop/things/5/parts/2/3", "" },
        { HTTP_GET, "/v1/shop/inner", "" },
    };
    size_t refused;
    const char *services[] = { s_shop };
    routing_t *routing = s_build("", services, 1, &refused);
    is_int(refused, 0);
    is_int(routing_size(routing), 7);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_text(s_find(routing, cases[i].verb, cases[i].path), cases[i].found);
    path_t path;
    ok(path_read(&path, "/v1/shop/things/a%2Fb/parts/c", 29, &s_arena) == NULL);
    const route_t *route = routing_find(routing, &path, HTTP_GET).route;
    is_int(route->param_count, 2);
    is_int(route->params[0].segment, 3);
    is_int(route->params[1].segment, 5);
    ok(route->params[1].size == 4 && memcmp(route->params[1].name, "part", 4) == 0);
    routing_drop(&routing);
    ok(routing == NULL);
}

static void test_who_may_bind(void)
{
    static const struct {
        const char *grants, *service, *route, *access;
        bool allowed;
    } cases[] = {
        { "", "shop", "GET /v1/shop", "user", true },
        { "", "shop", "GET /v2/shop/a", "user", true },
        { "", "shop", "GET /v1/shopping/a", "user", false },
        { "", "shop", "GET /v1/things", "user", false },
        { "", "shop", "GET /v1/{id}/a", "user", false },
        { "", "shop", "GET /v1/shop/a", "public", false },
        { "shop:public", "shop", "GET /v1/shop/a", "public", true },
        { "other:public", "shop", "GET /v1/shop/a", "public", false },
        { "shop:/v1/things", "shop", "GET /v1/things/{id}", "user", true },
        { "shop:/v1/things", "shop", "POST /v1/things:batch", "user", true },
        { "shop:/v1/things", "shop", "GET /v1/thingsandmore", "user", false },
        { "shop:/v1/things other:/v1/things/of/others", "shop", "GET /v1/things/of/others/{id}",
          "user", false },
        { "shop:/v1/things other:/v1/things/of/others", "other", "GET /v1/things/of/others/{id}",
          "user", true },
        { "other:/v1/shop", "shop", "GET /v1/shop/a", "user", false },
        { "other:/v1/shop", "other", "GET /v1/shop/a", "user", true },
        { "", "analysis", "POST /v1/analyses", "user", true },
        { "", "analysis", "GET /v1/rules", "public", true },
        { "", "shop", "GET /v1/analyses/mine", "user", false },
        { "", "ping", "GET /v1/ping/a", "user", false },
        { "", "events", "GET /v1/events", "user", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[500];
        size_t refused;
        snprintf(json, sizeof json,
                 "{\"service\":\"%s\",\"version\":\"1\",\"methods\":[{\"name\":\"m\",\"access\":"
                 "\"%s\",\"request\":{\"type\":\"object\",\"properties\":{\"id\":{}}},"
                 "\"http\":{\"route\":\"%s\"}}]}",
                 cases[i].service, cases[i].access, cases[i].route);
        routing_t *routing = s_build(cases[i].grants, (const char *[]){ json }, 1, &refused);
        char name[200];
        snprintf(name, sizeof name, "%s %s %s with '%s'", cases[i].service,
                 cases[i].allowed ? "binds" : "may not bind", cases[i].route, cases[i].grants);
        ok_named((refused == 0) == cases[i].allowed, name);
        routing_drop(&routing);
    }
}

/* Two services want the same path: the grant decides, whoever is named first. */
static void test_conflicts(void)
{
    static const char a[] = SERVICE("a", METHOD("m", "user", "GET /v1/things/{id}"));
    static const char b[] = SERVICE("b", METHOD("m", "user", "GET /v1/things/{id}"));
    static const char both[] =
        SERVICE("a", METHOD("one", "user", "GET /v1/a/{id}") "," METHOD(
                         "two", "user", "GET /v1/a/{id}") "," METHOD("three", "user",
                                                                     "POST /v1/a/{other}"));
    size_t refused;
    routing_t *routing = s_build("b:/v1/things", (const char *[]){ a, b }, 2, &refused);
    is_int(refused, 1);
    is_text(s_find(routing, HTTP_GET, "/v1/things/1"), "b.m");
    routing_drop(&routing);
    routing = s_build("b:/v1/things", (const char *[]){ b, a }, 2, &refused);
    is_text(s_find(routing, HTTP_GET, "/v1/things/1"), "b.m");
    routing_drop(&routing);
    routing = s_build("", (const char *[]){ both }, 1, &refused);
    is_int(refused, 2);
    is_text(s_find(routing, HTTP_GET, "/v1/a/1"), "a.one");
    routing_drop(&routing);
}

static void test_grants(void)
{
    static const char *const bad[] = { "shop",          "shop:",           ":/v1/a",
                                       "shop:/v1",      "shop:/v1/",       "shop:v1/a",
                                       "shop:/v1/{id}", "sh op:/v1/a",     "shop:/v1//a",
                                       "shop:/v1/a/",   "a:/v1/a b:/v1/a", "shop:/v1/analyses",
                                       "shop:/v1/ping" };
    static grants_t grants;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[200] = "";
        ok_named(!grants_read(&grants, bad[i], why, sizeof why) && why[0], bad[i]);
        grants_free(&grants);
    }
    char why[200];
    ok(grants_read(&grants, "  a:/v1/b, a:public ", why, sizeof why));
    ok(grants_allow_path(&grants, "a", "/v1/b/c") && grants_allow_public(&grants, "a"));
    grants_free(&grants);
    log_set_level(LOG_ERROR);
}

static void test_references(void)
{
    size_t refused;
    const char *services[] = { s_shop };
    routing_t *routing = s_build("", services, 1, &refused), *other = routing_hold(routing);
    routing_drop(&routing);
    is_text(s_find(other, HTTP_GET, "/v1/shop/things"), "shop.list");
    size_t count;
    const offer_t *offers = routing_offers(other, &count);
    is_int(count, 1);
    is_text(offers[0].described->descriptor->service, "shop");
    routing_drop(&other);
    arena_free(&s_arena);
}

TESTS({ "grants", test_grants }, { "finding", test_finding }, { "who may bind", test_who_may_bind },
      { "conflicts", test_conflicts }, { "references", test_references })
