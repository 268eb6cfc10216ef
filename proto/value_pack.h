/* SPDX-License-Identifier: MPL-2.0
 *
 * value_pack - a tree, or a part of one, as msgpack again
 */
#ifndef SIGNALBOX_VALUE_PACK_H
#define SIGNALBOX_VALUE_PACK_H

#include "proto/pack.h"
#include "proto/value.h"

void value_pack(const value_t *self, pack_t *out);

#endif
