/* SPDX-License-Identifier: MPL-2.0
 *
 * engine_state - what the files of the engine share; private to them
 */
#ifndef SIGNALBOX_LIMITER_ENGINE_STATE_H
#define SIGNALBOX_LIMITER_ENGINE_STATE_H

#include "actors/limiter/engine.h"

/* The subject's counter for a policy, made when it is new, without what no longer counts, and in
 * the policy's present algorithm. Valid until a counter is made for the subject. */
counter_t *counter_of(engine_t *engine, subject_t *subject, const policy_t *policy, int64_t now_ms);

/* How much counts at `now_ms`. */
uint32_t counter_used(const counter_t *counter, const policy_t *policy, int64_t now_ms);

/* From when on nothing of it counts; 0 when nothing does. */
int64_t counter_expiry(const counter_t *counter, const policy_t *policy);

/* After this instance has changed what a subject has used: it is the subject's owner now. */
void subject_changed(engine_t *engine, subject_t *subject);

/* After its memory has changed. */
void subject_measure(engine_t *engine, subject_t *subject);

#endif
