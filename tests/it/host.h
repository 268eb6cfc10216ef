/* SPDX-License-Identifier: MPL-2.0
 *
 * host - the settings of the processes that tests start: an edge and a broker in one, on a free
 * port, and what else the process has
 */
#ifndef SIGNALBOX_TEST_HOST_H
#define SIGNALBOX_TEST_HOST_H

#include <stdio.h>

#include "broker/broker.h"
#include "edge/edge.h"

#define HOST_SECTIONS_MAX 8
#define HOST_READY_MS     10000 /* for the routes of its service to be bound */

typedef struct {
    edge_settings_t edge;
    broker_settings_t broker;
    client_settings_t bus, trusted;
} host_settings_t;

/* A value that a process has before its flags are read. */
typedef struct {
    const char *name, *value;
} host_preset_t;

static inline void host_preset(settings_t *settings, const host_preset_t *presets, buf_t *problems)
{
    for (; presets->name; presets++)
        if (!settings_read_flag(settings, presets->name, presets->value, problems))
            die("%s", buf_text(problems));
}

/* Reads `--section.name value ...`. `more` are the sections that this process has besides, and
 * `presets` what it has otherwise than others; both end with an empty row. */
static inline settings_t *host_read(host_settings_t *self, const settings_section_t *more,
                                    const host_preset_t *presets, int argc, char **argv)
{
    static const host_preset_t usual[] = {
        { "edge.port", "0" },
        { "edge.limits", "false" }, /* there is no limiter but a test's own */
        { "broker.requests", "inproc://bus" },
        { "broker.trusted", "inproc://trusted" },
        { "broker.events", "inproc://events" },
        { "bus.brokers", "inproc://bus" },
        { "bus.events", "inproc://events" },
        { 0 },
    };
    static settings_section_t sections[HOST_SECTIONS_MAX]; /* they live as long as the settings */
    size_t count = 0;
    sections[count++] = (settings_section_t){ "edge", edge_setting_rows, &self->edge };
    sections[count++] = (settings_section_t){ "broker", broker_setting_rows, &self->broker };
    sections[count++] = (settings_section_t){ "bus", client_setting_rows, &self->bus };
    for (; more->name; more++) {
        insist(count + 1 < HOST_SECTIONS_MAX);
        sections[count++] = *more;
    }
    buf_t problems = { 0 };
    settings_t *settings = settings_new(sections);
    host_preset(settings, usual, &problems);
    host_preset(settings, presets, &problems);
    for (int i = 1; i + 1 < argc; i += 2)
        host_preset(settings, (const host_preset_t[]){ { argv[i] + 2, argv[i + 1] }, { 0 } },
                    &problems);
    buf_free(&problems);
    self->trusted = self->bus;
    self->trusted.brokers = self->broker.trusted;
    return settings;
}

/* Tells who started it that it answers. */
static inline void host_say_ready(edge_t *edge, const char *service)
{
    if (service && !edge_wait_service(edge, service, HOST_READY_MS))
        die("the routes of the service were not bound in time");
    printf("ready %u\n", edge_port(edge));
    fflush(stdout);
}

#endif
