/* SPDX-License-Identifier: MPL-2.0
 *
 * digest - a short hash of what a node was told to do, to see later whether it was told otherwise
 *
 * 64 bits over the values of its settings, whatever the order of keys. It tells versions of one
 * node apart and guards nothing: who wants two settings to collide deceives only himself.
 */
#ifndef SIGNALBOX_ANALYSIS_DIGEST_H
#define SIGNALBOX_ANALYSIS_DIGEST_H

#include "proto/value.h"

/* The whole value; the same for 5 and 5.0. */
uint64_t digest_value(const value_t *value);

/* A map without the keys in `dropped`, a NULL-ended list. */
uint64_t digest_map(const value_t *map, const char *const *dropped);

#endif
