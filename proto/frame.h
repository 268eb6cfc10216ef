/* SPDX-License-Identifier: MPL-2.0
 *
 * frame - the native dialect's header, and the header of an event
 *
 * A native message is [header][principal?][body?]. The header is packed and big-endian, 68 bytes
 * and three short names; docs/protocol.md shows it byte by byte. The broker changes what it must in
 * place and moves the rest, so a message passes it without being copied.
 */
#ifndef SIGNALBOX_FRAME_H
#define SIGNALBOX_FRAME_H

#include "actors/base/buf.h"

#define FRAME_VERSION     1
#define FRAME_FIXED_BYTES 68
#define FRAME_NAME_BYTES  127 /* of service (or topic), method and reply address, each */
#define FRAME_BYTES_MAX   (FRAME_FIXED_BYTES + 3 * FRAME_NAME_BYTES)
#define FRAME_TRACE_BYTES 25 /* trace id 16, parent span id 8, flags 1 (W3C trace context) */
#define FRAME_PRIORITIES  4
#define FRAME_HOPS_MAX    8

typedef enum {
    FRAME_READY = 1,     /* worker registers a service; the broker's answer has the same command */
    FRAME_CREDIT = 2,    /* worker: at most `detail` requests at once from now on */
    FRAME_REQUEST = 3,   /* client to broker to worker */
    FRAME_PARTIAL = 4,   /* a part of an answer, more follow */
    FRAME_FINAL = 5,     /* the answer, or its last part; `detail` is a 2xx status or 0 */
    FRAME_ERROR = 6,     /* the answer is a failure; `detail` is its status on the bus */
    FRAME_CANCEL = 7,    /* the caller no longer wants the answer */
    FRAME_DRAIN = 8,     /* worker: send no more. Broker: no more comes, finish and leave */
    FRAME_HEARTBEAT = 9, /* `detail` from a worker: age of its oldest request in ms */
    FRAME_DISCONNECT = 10, /* good-bye; from the broker also: I do not know you, register again */
    FRAME_PUBLISH = 11,    /* an event: service is the topic, the second frame its header */
    FRAME_SNAPSHOT = 12,   /* client asks for the retained values of the topics below a prefix */
    FRAME_COMMANDS
} frame_command_t;

enum {
    FRAME_IDEMPOTENT = 1, /* may be given to another instance when the first is lost */
    FRAME_BROADCAST = 2,  /* to every instance; their answers come as PARTIALs, FINAL counts them */
    FRAME_ROUTE_KEY = 4,  /* `route_key` decides which instance */
    FRAME_TRACED = 8,     /* `trace` holds a context */
    FRAME_PRINCIPAL = 16, /* the second frame is the principal */
    FRAME_STAMPED = 32,   /* `schema` is the hash of the descriptor the body was validated with */
    FRAME_RETRYABLE = 64, /* of an ERROR */
    FRAME_RETAIN = 128,   /* of a PUBLISH: keep this value for late subscribers */
};

typedef struct {
    uint8_t command; /* frame_command_t */
    uint8_t flags;
    uint8_t priority;     /* 0 (first) to 3 */
    uint8_t hops;         /* brokers passed */
    uint64_t id;          /* of the request; chosen by the sender, returned in the answer */
    uint32_t deadline_ms; /* that remain; 0: the receiver's own limit */
    uint32_t detail;      /* by command, see above */
    uint64_t route_key;   /* id_hash of what keeps requests together */
    uint64_t schema;      /* hash of a descriptor */
    uint8_t trace[FRAME_TRACE_BYTES];
    /* Not NUL-terminated; point into the message. `reply` of a REQUEST says which run of which job
     * it is, as proto/job.h writes it, or is empty. */
    const char *service, *method, *reply;
    uint8_t service_size, method_size, reply_size;
} frame_t;

/* Sets a name from a C string, cut at FRAME_NAME_BYTES; the text must outlive the frame. */
void frame_set_service(frame_t *self, const char *service);
void frame_set_method(frame_t *self, const char *method);

size_t frame_size(const frame_t *self);

/* Writes `frame_size` bytes at `to`. */
void frame_encode(const frame_t *self, uint8_t *to);

/* Reads a header; false when it is not one: magic, version, command, lengths, reserved bits. */
bool frame_decode(frame_t *self, const void *bytes, size_t size) MUST_CHECK;

/* Whether the first bytes are those of a native header, of any version. */
bool frame_is_native(const void *bytes, size_t size);

/* Changes in an encoded header that was decoded before. */
void frame_patch_id(uint8_t *bytes, uint64_t id);
void frame_patch_deadline(uint8_t *bytes, uint32_t deadline_ms);
void frame_patch_flags(uint8_t *bytes, uint8_t flags);
void frame_patch_hops(uint8_t *bytes, uint8_t hops);

/* ---- events --------------------------------------------------------------------------------- */

/* On the subscribers' side a message is [topic][event header][body]; on the way to the broker it is
 * [native header PUBLISH][event header][body]. */
#define EVENT_FIXED_BYTES 30
#define EVENT_NAME_BYTES  127
#define EVENT_BYTES_MAX   (EVENT_FIXED_BYTES + EVENT_NAME_BYTES)

enum {
    EVENT_RETAINED = 1, /* sent again from the broker's memory, not published now */
};

typedef struct {
    uint8_t flags;
    uint64_t epoch;        /* of the publisher: a new one at each start, growing */
    uint64_t sequence;     /* of this publisher within this topic, from 1 */
    int64_t time_ms;       /* wall clock of the publisher */
    const char *publisher; /* not NUL-terminated; points into the message */
    uint8_t publisher_size;
} event_t;

size_t event_size(const event_t *self);
void event_encode(const event_t *self, uint8_t *to);
bool event_decode(event_t *self, const void *bytes, size_t size) MUST_CHECK;
void event_patch_flags(uint8_t *bytes, uint8_t flags);

#endif
