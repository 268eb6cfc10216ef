/* SPDX-License-Identifier: MPL-2.0
 *
 * prometheus - counters in Prometheus' text format, version 0.0.4
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/prometheus.h"
#include "edge/respond.h"
#include "edge/state.h"

#define OCTAVES_SHOWN 23 /* 16 us to 67 s; what is longer is in +Inf alone */

static void s_head(const char *name, size_t size, const char *kind, const char *about, buf_t *out)
{
    buf_printf(out, "# HELP %.*s %s.\n# TYPE %.*s %s\n", (int)size, name, about, (int)size, name,
               kind);
}

/* Cumulative, each bucket by the largest whole number that falls into it. */
static void s_histogram(const char *name, const histogram_t *histogram, buf_t *out)
{
    uint64_t count = 0, sum = atomic_load_explicit(&histogram->sum, memory_order_relaxed);
    for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        count += atomic_load_explicit(&histogram->buckets[bucket], memory_order_relaxed);
        if (bucket % HISTOGRAM_SUB == HISTOGRAM_SUB - 1 && bucket / HISTOGRAM_SUB < OCTAVES_SHOWN)
            buf_printf(out, "%s_bucket{le=\"%llu\"} %llu\n", name,
                       (unsigned long long)histogram_upper(bucket) - 1, (unsigned long long)count);
    }
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu\n%s_count %llu\n", name,
               (unsigned long long)count, name, (unsigned long long)sum, name,
               (unsigned long long)count);
}

void prometheus_write(const stats_t *stats, buf_t *out)
{
    static const char *const kinds[] = {
        [STATS_COUNTER] = "counter", [STATS_GAUGE] = "gauge", [STATS_HISTOGRAM] = "histogram"
    };
    const char *last = "";
    size_t last_size = 0;
    for (size_t i = 0; i < stats->count; i++) {
        const stats_row_t *row = &stats->rows[i];
        size_t size = strcspn(row->name, "{");
        if (size != last_size || memcmp(row->name, last, size) != 0)
            s_head(row->name, size, kinds[row->kind], row->about, out);
        last = row->name;
        last_size = size;
        if (row->kind == STATS_HISTOGRAM)
            s_histogram(row->name, stats->histograms[i], out);
        else
            buf_printf(out, "%s %lld\n", row->name, (long long)stats_get(stats, i));
    }
}

/* Pages of memory in use, from the kernel's own count; 0 where there is no /proc. */
static unsigned long s_resident_pages(void)
{
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident;
}

static void s_process(const edge_t *edge, buf_t *out)
{
    static const char cpu[] = "process_cpu_seconds_total";
    static const char memory[] = "process_resident_memory_bytes";
    static const char start[] = "process_start_time_seconds";
    s_head(cpu, sizeof cpu - 1, "counter", "Processor time used", out);
    buf_printf(out, "%s %.3f\n", cpu, (double)clock_cpu_us() / 1e6);
    s_head(memory, sizeof memory - 1, "gauge", "Memory in use", out);
    buf_printf(out, "%s %lu\n", memory, s_resident_pages() * (unsigned long)sysconf(_SC_PAGESIZE));
    s_head(start, sizeof start - 1, "gauge", "When the edge started, since 1970", out);
    buf_printf(out, "%s %.3f\n", start,
               (double)(clock_wall_ms() - (int64_t)(clock_ms() - edge->started_ms)) / 1000.0);
}

void prometheus_serve(exchange_t *exchange)
{
    buf_t *out = &exchange->content;
    prometheus_write(&exchange->edge->stats, out);
    prometheus_write(client_stats(exchange->edge->bus), out);
    s_process(exchange->edge, out);
    respond(exchange,
            &(response_t){
                .status = 200, .media = PROMETHEUS_MEDIA, .bytes = out->bytes, .size = out->size });
}
