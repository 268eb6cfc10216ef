/* SPDX-License-Identifier: MPL-2.0
 *
 * fuzz - the entry every target has (libFuzzer's)
 */
#ifndef SIGNALBOX_FUZZ_H
#define SIGNALBOX_FUZZ_H

#include "actors/base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
