/* SPDX-License-Identifier: MPL-2.0
 *
 * alerts - which rules are broken, since when, and what has been told of it
 *
 * An alert fires when a rule has been broken for as long as the rule says, and ends when it no
 * longer is. It is told when it fires, again and again while it does, and when it ends.
 *
 * Every instance of the service sees the same and keeps the same state; one of them tells. When
 * that one is gone and another takes over, it tells what fires once more, and what has ended within
 * the last ALERTS_UNTOLD_MS, which nobody may have told: an alert has an id by which it counts
 * once.
 *
 * Rates are of a few seconds, in which there may be nothing at all: a pause of ALERTS_QUIET_MS says
 * neither that a rule is broken nor that it is kept.
 *
 * Time is passed in. Not for several threads.
 */
#ifndef SIGNALBOX_METRICS_ALERTS_H
#define SIGNALBOX_METRICS_ALERTS_H

#include <uthash.h>

#include "actors/base/id.h"
#include "actors/metrics/rules.h"
#include "proto/pack.h"

#define ALERTS_MAX       1000
#define ALERTS_QUIET_MS  20000
#define ALERTS_UNTOLD_MS 60000 /* longer than it takes to see that an instance is gone */

typedef struct {
    UT_hash_handle hh;
    const alert_rule_t *rule;
    char id[ID_UUID_SIZE]; /* of its firing; the same for all instances of the service */
    buf_t labels;          /* packed, a map */
    double value;
    uint64_t since_ms;            /* broken since */
    uint64_t broken_ms, taken_ms; /* and last seen to be, and last taken to be */
    int64_t since_wall_ms;
    bool fires;
    uint64_t told_ms;  /* 0: not by us */
    uint64_t ended_ms; /* 0: it has not; else it was for another one to tell that */
    char key[];        /* the rule's name and the texts of its labels, each with its NUL */
} alert_t;

typedef struct {
    alert_t *list;
    uint64_t repeat_ms;
    uint64_t dropped; /* broken rules there was no room for */
} alerts_t;

typedef enum { ALERT_FIRES, ALERT_FIRES_STILL, ALERT_ENDS } alert_step_t;

typedef struct {
    const value_t *summary;
    uint64_t now_ms;
    int64_t wall_ms;
    bool tells; /* whether it is for us to tell */
    void (*tell)(void *arg, const alert_t *alert, alert_step_t step);
    void *arg;
} alerts_look_t;

void alerts_init(alerts_t *self, uint64_t repeat_ms);
void alerts_free(alerts_t *self);

/* Compares a summary with all rules. */
void alerts_look(alerts_t *self, const alerts_look_t *look);

/* How many fire. */
int64_t alerts_count(const alerts_t *self);

/* Packs the list of those that fire. */
void alerts_write(const alerts_t *self, pack_t *out);

/* Packs one, as it is told: {id, name, severity, status, about, labels, value, above, since}. */
void alerts_write_one(const alert_t *alert, const char *status, pack_t *out);

#endif
