/* SPDX-License-Identifier: MPL-2.0
 *
 * mdp - the frames of the Majordomo Protocol, 0.1 (ZeroMQ RFC 7) and 0.2 (RFC 18)
 */
#include "config.h"

#include <string.h>

#include "proto/mdp.h"

static const char *const s_headers[] = { [MDP_CLIENT_1] = "MDPC01",
                                         [MDP_WORKER_1] = "MDPW01",
                                         [MDP_CLIENT_2] = "MDPC02",
                                         [MDP_WORKER_2] = "MDPW02" };

/* The index is the byte. In 0.1 a client's frames have no command: its row is empty. */
static const mdp_command_t s_commands[][7] = {
    [MDP_CLIENT_1] = { MDP_INVALID },
    [MDP_WORKER_1] = { MDP_INVALID, MDP_READY, MDP_REQUEST, MDP_FINAL, MDP_HEARTBEAT,
                       MDP_DISCONNECT },
    [MDP_CLIENT_2] = { MDP_INVALID, MDP_REQUEST, MDP_PARTIAL, MDP_FINAL },
    [MDP_WORKER_2] = { MDP_INVALID, MDP_READY, MDP_REQUEST, MDP_PARTIAL, MDP_FINAL, MDP_HEARTBEAT,
                       MDP_DISCONNECT },
};

mdp_dialect_t mdp_dialect(const void *bytes, size_t size)
{
    if (size != MDP_HEADER_BYTES)
        return MDP_NONE;
    for (int dialect = MDP_CLIENT_1; dialect <= MDP_WORKER_2; dialect++)
        if (memcmp(bytes, s_headers[dialect], MDP_HEADER_BYTES) == 0)
            return (mdp_dialect_t)dialect;
    return MDP_NONE;
}

const char *mdp_header(mdp_dialect_t dialect)
{
    insist(dialect != MDP_NONE);
    return s_headers[dialect];
}

mdp_command_t mdp_command(mdp_dialect_t dialect, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    if (size != 1 || *byte >= COUNT_OF(s_commands[0]))
        return MDP_INVALID;
    return s_commands[dialect][*byte];
}

uint8_t mdp_byte(mdp_dialect_t dialect, mdp_command_t command)
{
    for (size_t byte = 1; byte < COUNT_OF(s_commands[0]); byte++)
        if (s_commands[dialect][byte] == command)
            return (uint8_t)byte;
    return 0;
}
