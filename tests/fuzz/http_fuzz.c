/* SPDX-License-Identifier: MPL-2.0
 *
 * The bytes of a request, from its head to msgpack: what the guard lets through stays what it was
 * when it is checked again, and what translation makes of it is valid.
 */
#include "config.h"

#include "edge/guard.h"
#include "edge/translate.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/described.h"

static const char s_service[] =
    "{\"service\":\"fuzz\",\"version\":\"1\",\"methods\":["
    "{\"name\":\"change\",\"access\":\"user\",\"http\":{\"route\":\"PATCH /v1/fuzz/{id}\"},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"ratio\":{\"type\":[\"number\",\"null\"]},\"deep\":{\"type\":\"boolean\"},\"any\":{}}}},"
    "{\"name\":\"put\",\"access\":\"user\","
    "\"http\":{\"route\":\"PUT /v1/fuzz/{id}\",\"body\":\"document\"},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{},\"document\":{}}}}]}";

static routing_t *s_routing(void)
{
    static routing_t *routing;
    static grants_t grants;
    char why[100];
    routing_report_t report;
    if (!routing) {
        offer_t offer = { .described = described_new(described_read(s_service)) };
        insist(grants_read(&grants, "", why, sizeof why));
        routing = routing_build(&offer, 1, &grants, &report);
        insist(report.refused == 0);
        described_drop(&offer.described);
    }
    return routing;
}

/* A good head is one for the second time too, with the same meaning. */
static void s_check_again(char *head, size_t size, const guard_limits_t *limits,
                          const guard_head_t *first)
{
    guard_head_t second;
    size_t scanned = 0;
    insist(guard_end(head, size, &scanned) == size);
    insist(guard_check(head, &size, limits, &second) == GUARD_GOOD);
    insist(second.verb == first->verb && second.length == first->length &&
           second.is_chunked == first->is_chunked && second.keep_alive == first->keep_alive);
}

static void s_translate(const guard_head_t *head, const char *line, const char *body, size_t size)
{
    static schema_errors_t fields;
    arena_t arena = { 0 };
    buf_t message = { 0 };
    path_t path;
    value_verdict_t verdict;
    failure_t failure;
    const char *target = strchr(line, ' ') + 1;
    size_t target_size = strcspn(target, "? ");
    char *query = target[target_size] == '?' ? arena_text(&arena, target + target_size + 1,
                                                          strcspn(target + target_size + 1, " "))
                                             : NULL;
    const route_t *route = NULL;
    if (!path_read(&path, target, target_size, &arena))
        route = routing_find(s_routing(), &path, head->verb).route;
    const translate_t request = {
        .route = route, .path = &path, .query = query, .body = body, .body_size = size
    };
    if (route && translate_request(&request, &arena, &message, &failure, &fields)) {
        const value_t *map =
            value_parse(&arena, message.bytes, message.size,
                        (value_limits_t){ .depth = 70, .nodes = 500000 }, &verdict);
        insist(value_is_type(map, VALUE_MAP));
        insist(schema_validate(route->method->request, map, NULL));
    }
    buf_free(&message);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const guard_limits_t limits = { .target_bytes = 200, .headers_bytes = 1000 };
    char *copy = mem_text(bytes, size);
    size_t scanned = 0, blank = guard_blank(copy, size), end;
    char *head_at = copy + blank;
    guard_head_t head;
    size -= blank;
    end = guard_end(head_at, size, &scanned);
    if (!end) {
        guard_partial(head_at, size, &limits);
    } else {
        size_t head_size = end;
        if (guard_check(head_at, &head_size, &limits, &head) == GUARD_GOOD) {
            insist(head_size <= end);
            s_check_again(head_at, head_size, &limits, &head);
            s_translate(&head, head_at, head_at + end, size - end);
        }
    }
    mem_free(copy);
    return 0;
}
