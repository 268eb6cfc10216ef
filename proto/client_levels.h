/* SPDX-License-Identifier: MPL-2.0
 *
 * client_levels - every client answers, and obeys, who asks how its process logs (levels.h)
 */
#ifndef SIGNALBOX_CLIENT_LEVELS_H
#define SIGNALBOX_CLIENT_LEVELS_H

#include "proto/client_state.h"

/* Once the client's thread runs. */
void client_levels_connect(client_t *self);

#endif
