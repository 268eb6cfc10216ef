/* SPDX-License-Identifier: MPL-2.0
 *
 * traced - for which trace the present thread works, so that the layers below a handler can tell
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/runtime/traced.h"

static _Thread_local traced_t s_now;

traced_t traced_now(void)
{
    return s_now;
}

void traced_set(const traced_t *traced)
{
    s_now = *traced;
}

void traced_end(void)
{
    s_now.spans = NULL;
}

void traced_query(const char *service, const char *statement, uint64_t took_us)
{
    trace_span_t span;
    if (!s_now.spans)
        return;
    const trace_t context = trace_child(&s_now.trace);
    trace_span_init(&span, SPAN_QUERY, service, statement, &context, s_now.trace.span);
    span.started_us = clock_us() - took_us;
    span.took_us = took_us;
    spans_end(s_now.spans, &span);
}
