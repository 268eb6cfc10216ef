/* SPDX-License-Identifier: MPL-2.0
 *
 * id - names nobody else has, and hashes of names
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "actors/base/id.h"

void id_random(void *memory, size_t size)
{
    uint8_t *at = memory;
    while (size) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0) {
            insist(errno == EINTR);
            continue;
        }
        at += got;
        size -= (size_t)got;
    }
}

uint64_t id_random_u64(void)
{
    uint64_t value;
    id_random(&value, sizeof value);
    return value;
}

#define SUPPLY_BYTES 512

void id_fresh(void *memory, size_t size)
{
    static _Thread_local uint8_t supply[SUPPLY_BYTES];
    static _Thread_local size_t left;
    insist(size <= sizeof supply);
    if (left < size) {
        id_random(supply, sizeof supply);
        left = sizeof supply;
    }
    memcpy(memory, supply + sizeof supply - left, size);
    left -= size;
}

char *id_hex(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

/* Sets version and variant, and writes 8-4-4-4-12 (RFC 9562, 4). */
static const char *s_uuid(uint8_t bytes[16], uint8_t version, char text[ID_UUID_SIZE])
{
    char hex[33], *at = text;
    bytes[6] = (uint8_t)(version << 4 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    id_hex(bytes, 16, hex);
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *at++ = '-';
        *at++ = hex[i];
    }
    *at = '\0';
    return text;
}

const char *id_uuid7(char text[ID_UUID_SIZE])
{
    uint8_t bytes[16];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint16_t part = (uint16_t)((uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000);
    put_u64(bytes, ms << 16 | part);
    id_fresh(bytes + 8, sizeof bytes - 8);
    return s_uuid(bytes, 7, text);
}

const char *id_uuid8(const uint8_t hash[16], char text[ID_UUID_SIZE])
{
    uint8_t bytes[16];
    memcpy(bytes, hash, sizeof bytes);
    return s_uuid(bytes, 8, text);
}

const char *id_instance(const char *part, char text[ID_INSTANCE_SIZE])
{
    uint32_t tail;
    id_random(&tail, sizeof tail);
    snprintf(text, ID_INSTANCE_SIZE, "%.50s-%08x", part, tail);
    return text;
}

uint64_t id_hash(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

uint64_t id_mix(uint64_t a, uint64_t b)
{
    uint64_t h = a ^ (b * 0x9e3779b97f4a7c15u);
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

bool id_is_name(const char *text, size_t size, size_t limit)
{
    if (size == 0 || size > limit)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}
