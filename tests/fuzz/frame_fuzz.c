/* SPDX-License-Identifier: MPL-2.0
 *
 * A header that is read writes back as the same bytes, natives and events alike.
 */
#include "config.h"

#include <string.h>

#include "proto/frame.h"
#include "proto/mdp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t again[FRAME_BYTES_MAX];
    frame_t frame;
    event_t event;
    if (frame_decode(&frame, bytes, size)) {
        insist(frame_size(&frame) == size && frame_is_native(bytes, size));
        frame_encode(&frame, again);
        insist(memcmp(again, bytes, size) == 0);
    }
    if (event_decode(&event, bytes, size)) {
        insist(event_size(&event) == size);
        event_encode(&event, again);
        insist(memcmp(again, bytes, size) == 0);
    }
    mdp_dialect_t dialect = mdp_dialect(bytes, size);
    if (dialect != MDP_NONE)
        insist(memcmp(mdp_header(dialect), bytes, size) == 0);
    mdp_command(MDP_WORKER_2, bytes, size);
    return 0;
}
