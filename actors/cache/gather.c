/* SPDX-License-Identifier: MPL-2.0
 *
 * gather - asks all instances of the cache and hands over their answers together
 */
#include "config.h"

#include "actors/cache/gather.h"

typedef struct {
    gather_t result;
    call_t *call;
    gathered_fn on_gathered;
    void *arg;
} order_t;

static void s_on_part(void *arg, answer_t *answer)
{
    order_t *order = arg;
    if (order->result.count == GATHER_PARTS_MAX ||
        value_check(answer_bytes(answer), answer_size(answer), VALUE_LIMITS, NULL) != VALUE_GOOD)
        return;
    buf_add(&order->result.parts, answer_bytes(answer), answer_size(answer));
    order->result.count++;
}

static size_t s_read_instances(const answer_t *answer)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *summary =
        value_parse(&arena, answer_bytes(answer), answer_size(answer), VALUE_LIMITS, &verdict);
    int64_t instances = value_get_int(summary, "instances", 0);
    arena_free(&arena);
    return instances > 0 ? (size_t)instances : 0;
}

static void s_on_answer(void *arg, answer_t *answer)
{
    order_t *order = arg;
    order->result.code = answer->failure.code;
    order->result.instances = order->result.count;
    if (answer->failure.code == ERROR_NONE)
        order->result.instances = s_read_instances(answer);
    order->on_gathered(order->call, order->arg, &order->result);
    buf_free(&order->result.parts);
    mem_free(order);
}

void gather_send(call_t *call, const method_t *method, buf_t *body, gathered_fn on_gathered,
                 void *arg)
{
    order_t *order = mem_zeroed(sizeof *order);
    *order = (order_t){ .call = call, .on_gathered = on_gathered, .arg = arg };
    client_send(actor_client(call_actor(call)),
                &(client_request_t){ .service = cache_service.name,
                                     .method = method->name,
                                     .body = body,
                                     .deadline_ms = call_left_ms(call) / 10 * 9 + 1,
                                     .flags = FRAME_BROADCAST,
                                     .on_part = s_on_part,
                                     .part_arg = order },
                s_on_answer, order);
}
