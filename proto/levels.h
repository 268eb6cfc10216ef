/* SPDX-License-Identifier: MPL-2.0
 *
 * levels - from which severity on parts log, asked and changed over the bus
 *
 * Whoever publishes a map on `log.control` is told by everybody on the bus, on `log.levels`, how
 * the parts of their process log:
 *
 *     {"id": "7f3a...", "part": "limiter", "level": "debug", "for_s": 600}
 *     {"id": "7f3a...", "process": "host:4711", "instance": "limiter-1b2c",
 *      "parts": [{"part": "limiter", "level": "debug", "own": true, "left_s": 600}, ...]}
 *
 * `level` changes them first, and `default` ends what was changed; without it nothing is. Without
 * `part` all are meant; with `for_s` it ends by itself. The same id said again changes nothing, so
 * whoever asks may do so until everybody has answered.
 */
#ifndef SIGNALBOX_PROTO_LEVELS_H
#define SIGNALBOX_PROTO_LEVELS_H

#include "actors/base/buf.h"

#define LEVELS_FOR_MAX_S 604800 /* a week */

/* Does what the event asks of this process, and packs the answer in the name of one of its
 * instances. False when the event cannot be read: then nothing is done. */
bool levels_obey(const void *bytes, size_t size, const char *instance, buf_t *answer) MUST_CHECK;

#endif
