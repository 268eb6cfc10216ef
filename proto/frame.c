/* SPDX-License-Identifier: MPL-2.0
 *
 * frame - the native dialect's header, and the header of an event
 */
#include "config.h"

#include <string.h>

#include "proto/frame.h"

/* Offsets of the fixed part; the names follow it in this order. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 2,
    AT_COMMAND = 3,
    AT_FLAGS = 4,
    AT_PRIORITY = 5,
    AT_HOPS = 6,
    AT_RESERVED = 7,
    AT_ID = 8,
    AT_DEADLINE = 16,
    AT_DETAIL = 20,
    AT_ROUTE_KEY = 24,
    AT_SCHEMA = 32,
    AT_TRACE = 40,
    AT_SERVICE_SIZE = 65,
    AT_METHOD_SIZE = 66,
    AT_REPLY_SIZE = 67,
};
_Static_assert(AT_TRACE + FRAME_TRACE_BYTES == AT_SERVICE_SIZE, "the trace context has 25 bytes");
_Static_assert(AT_REPLY_SIZE + 1 == FRAME_FIXED_BYTES, "the names start behind the fixed part");

static const uint8_t s_magic[2] = { 'S', 'X' };

static uint8_t s_name_size(const char *name)
{
    size_t size = strlen(name);
    return (uint8_t)(size < FRAME_NAME_BYTES ? size : FRAME_NAME_BYTES);
}

void frame_set_service(frame_t *self, const char *service)
{
    self->service = service;
    self->service_size = s_name_size(service);
}

void frame_set_method(frame_t *self, const char *method)
{
    self->method = method;
    self->method_size = s_name_size(method);
}

size_t frame_size(const frame_t *self)
{
    return FRAME_FIXED_BYTES + (size_t)self->service_size + self->method_size + self->reply_size;
}

static uint8_t *s_put_name(uint8_t *to, const char *name, uint8_t size)
{
    if (size)
        memcpy(to, name, size);
    return to + size;
}

void frame_encode(const frame_t *self, uint8_t *to)
{
    memcpy(to + AT_MAGIC, s_magic, sizeof s_magic);
    to[AT_VERSION] = FRAME_VERSION;
    to[AT_COMMAND] = self->command;
    to[AT_FLAGS] = self->flags;
    to[AT_PRIORITY] = self->priority;
    to[AT_HOPS] = self->hops;
    to[AT_RESERVED] = 0;
    put_u64(to + AT_ID, self->id);
    put_u32(to + AT_DEADLINE, self->deadline_ms);
    put_u32(to + AT_DETAIL, self->detail);
    put_u64(to + AT_ROUTE_KEY, self->route_key);
    put_u64(to + AT_SCHEMA, self->schema);
    memcpy(to + AT_TRACE, self->trace, FRAME_TRACE_BYTES);
    to[AT_SERVICE_SIZE] = self->service_size;
    to[AT_METHOD_SIZE] = self->method_size;
    to[AT_REPLY_SIZE] = self->reply_size;
    to = s_put_name(to + FRAME_FIXED_BYTES, self->service, self->service_size);
    to = s_put_name(to, self->method, self->method_size);
    s_put_name(to, self->reply, self->reply_size);
}

bool frame_is_native(const void *bytes, size_t size)
{
    return size >= sizeof s_magic && memcmp(bytes, s_magic, sizeof s_magic) == 0;
}

bool frame_decode(frame_t *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (size < FRAME_FIXED_BYTES || !frame_is_native(bytes, size) ||
        at[AT_VERSION] != FRAME_VERSION || at[AT_RESERVED] != 0)
        return false;
    *self = (frame_t){
        .command = at[AT_COMMAND],
        .flags = at[AT_FLAGS],
        .priority = at[AT_PRIORITY],
        .hops = at[AT_HOPS],
        .id = get_u64(at + AT_ID),
        .deadline_ms = get_u32(at + AT_DEADLINE),
        .detail = get_u32(at + AT_DETAIL),
        .route_key = get_u64(at + AT_ROUTE_KEY),
        .schema = get_u64(at + AT_SCHEMA),
        .service_size = at[AT_SERVICE_SIZE],
        .method_size = at[AT_METHOD_SIZE],
        .reply_size = at[AT_REPLY_SIZE],
    };
    memcpy(self->trace, at + AT_TRACE, FRAME_TRACE_BYTES);
    self->service = (const char *)at + FRAME_FIXED_BYTES;
    self->method = self->service + self->service_size;
    self->reply = self->method + self->method_size;
    return self->command > 0 && self->command < FRAME_COMMANDS &&
           self->priority < FRAME_PRIORITIES && self->service_size <= FRAME_NAME_BYTES &&
           self->method_size <= FRAME_NAME_BYTES && self->reply_size <= FRAME_NAME_BYTES &&
           size == frame_size(self);
}

void frame_patch_id(uint8_t *bytes, uint64_t id)
{
    put_u64(bytes + AT_ID, id);
}

void frame_patch_deadline(uint8_t *bytes, uint32_t deadline_ms)
{
    put_u32(bytes + AT_DEADLINE, deadline_ms);
}

void frame_patch_flags(uint8_t *bytes, uint8_t flags)
{
    bytes[AT_FLAGS] = flags;
}

void frame_patch_hops(uint8_t *bytes, uint8_t hops)
{
    bytes[AT_HOPS] = hops;
}

/* ---- events --------------------------------------------------------------------------------- */

enum {
    EVENT_AT_MAGIC = 0,
    EVENT_AT_VERSION = 2,
    EVENT_AT_FLAGS = 3,
    EVENT_AT_EPOCH = 4,
    EVENT_AT_SEQUENCE = 12,
    EVENT_AT_TIME = 20,
    EVENT_AT_RESERVED = 28,
    EVENT_AT_NAME_SIZE = 29,
};
_Static_assert(EVENT_AT_NAME_SIZE + 1 == EVENT_FIXED_BYTES,
               "the name starts behind the fixed part");

static const uint8_t s_event_magic[2] = { 'S', 'E' };

size_t event_size(const event_t *self)
{
    return EVENT_FIXED_BYTES + (size_t)self->publisher_size;
}

void event_encode(const event_t *self, uint8_t *to)
{
    memcpy(to + EVENT_AT_MAGIC, s_event_magic, sizeof s_event_magic);
    to[EVENT_AT_VERSION] = FRAME_VERSION;
    to[EVENT_AT_FLAGS] = self->flags;
    put_u64(to + EVENT_AT_EPOCH, self->epoch);
    put_u64(to + EVENT_AT_SEQUENCE, self->sequence);
    put_u64(to + EVENT_AT_TIME, (uint64_t)self->time_ms);
    to[EVENT_AT_RESERVED] = 0;
    to[EVENT_AT_NAME_SIZE] = self->publisher_size;
    s_put_name(to + EVENT_FIXED_BYTES, self->publisher, self->publisher_size);
}

bool event_decode(event_t *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    if (size < EVENT_FIXED_BYTES || memcmp(at, s_event_magic, sizeof s_event_magic) != 0 ||
        at[EVENT_AT_VERSION] != FRAME_VERSION || at[EVENT_AT_RESERVED] != 0)
        return false;
    *self = (event_t){
        .flags = at[EVENT_AT_FLAGS],
        .epoch = get_u64(at + EVENT_AT_EPOCH),
        .sequence = get_u64(at + EVENT_AT_SEQUENCE),
        .time_ms = (int64_t)get_u64(at + EVENT_AT_TIME),
        .publisher = (const char *)at + EVENT_FIXED_BYTES,
        .publisher_size = at[EVENT_AT_NAME_SIZE],
    };
    return self->publisher_size <= EVENT_NAME_BYTES && size == event_size(self);
}

void event_patch_flags(uint8_t *bytes, uint8_t flags)
{
    bytes[EVENT_AT_FLAGS] = flags;
}
