/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - whether what is set about the edge can be
 */
#ifndef SIGNALBOX_EDGE_SETTINGS_H
#define SIGNALBOX_EDGE_SETTINGS_H

#include "edge/edge.h"

/* Checks what no row can say. False with a sentence in `why`. */
bool edge_settings_check(const edge_settings_t *settings, char *why, size_t why_size) MUST_CHECK;

/* Says in `why` what stands against a start; always returns false, for `return edge_refuse(...)`.
 */
bool edge_refuse(char *why, size_t why_size, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
