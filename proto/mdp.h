/* SPDX-License-Identifier: MPL-2.0
 *
 * mdp - the frames of the Majordomo Protocol, 0.1 (ZeroMQ RFC 7) and 0.2 (RFC 18)
 *
 * Written once here: what the first frames say, and which number a command has in which version.
 */
#ifndef SIGNALBOX_MDP_H
#define SIGNALBOX_MDP_H

#include "actors/base/base.h"

typedef enum {
    MDP_NONE,
    MDP_CLIENT_1, /* "MDPC01" */
    MDP_WORKER_1, /* "MDPW01" */
    MDP_CLIENT_2,
    MDP_WORKER_2,
} mdp_dialect_t;

/* What a command means, whatever number it has. */
typedef enum {
    MDP_INVALID,
    MDP_REQUEST,
    MDP_PARTIAL, /* 0.2 only */
    MDP_FINAL,   /* 0.1 calls it REPLY */
    MDP_READY,
    MDP_HEARTBEAT,
    MDP_DISCONNECT,
} mdp_command_t;

#define MDP_HEADER_BYTES 6

/* The dialect a header frame names, MDP_NONE when it names none. */
mdp_dialect_t mdp_dialect(const void *bytes, size_t size);

/* The header frame of a dialect: MDP_HEADER_BYTES, no NUL counted. */
const char *mdp_header(mdp_dialect_t dialect);

/* The command of a one-byte command frame; clients of 0.1 have no such frame and only request. */
mdp_command_t mdp_command(mdp_dialect_t dialect, const void *bytes, size_t size);

/* The byte of a command in a dialect; 0 when the dialect does not have it. */
uint8_t mdp_byte(mdp_dialect_t dialect, mdp_command_t command);

static inline bool mdp_is_worker(mdp_dialect_t dialect)
{
    return dialect == MDP_WORKER_1 || dialect == MDP_WORKER_2;
}

#endif
