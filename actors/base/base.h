/* SPDX-License-Identifier: MPL-2.0
 *
 * base - the words every other file uses: attributes, assertions, allocation
 *
 * Three kinds of trouble are kept apart. A fault of ours is `insist()`, which stops the process in
 * release builds too. A fault of the world (a peer, a file, the network) is a value returned to the
 * caller. A bad start is `die()`: one sentence on standard error and exit status 2.
 */
#ifndef SIGNALBOX_BASE_H
#define SIGNALBOX_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, args) __attribute__((format(printf, text, args)))
#define NORETURN                __attribute__((noreturn))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that holds `member` at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Stops the process with file, line and the broken promise, in release builds too. Only for what
 * no input from outside can cause. */
#define insist(condition)                                                                          \
    ((condition) ? (void)0 : base_broken(#condition, __FILE__, __LINE__, __func__))

void base_broken(const char *condition, const char *file, int line, const char *function) NORETURN;

/* Ends a start that cannot succeed: prints "signalbox: <sentence>" on standard error, exits 2. */
void die(const char *format, ...) PRINTF_LIKE(1, 2) NORETURN;

/* Who is told the sentence of `insist` and `die` in place of standard error (crash.h). */
void base_tell_end(void (*tell)(const char *sentence, bool is_broken));

/* Allocate or stop the process: every input from outside is bounded before memory is asked for, so
 * running out is not a state a caller could mend. `mem_zeroed` clears; `mem_free` accepts NULL. */
void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zeroed(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *memory, size_t size) __attribute__((alloc_size(2), returns_nonnull));
void mem_free(void *memory);

/* Copies, which the caller frees with `mem_free`. `mem_text` adds a final NUL to `size` bytes. */
char *mem_strdup(const char *text) __attribute__((returns_nonnull));
char *mem_text(const void *bytes, size_t size) __attribute__((returns_nonnull));
char *mem_format(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((returns_nonnull));

/* Clears memory that held a secret, in a way the compiler keeps. */
void mem_wipe(void *memory, size_t size);

/* Big-endian numbers, the order of every frame of ours and of msgpack. Unaligned is fine. */
static inline void put_u16(uint8_t *at, uint16_t value)
{
    value = __builtin_bswap16(value);
    __builtin_memcpy(at, &value, sizeof value);
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    __builtin_memcpy(at, &value, sizeof value);
}

static inline void put_u64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    __builtin_memcpy(at, &value, sizeof value);
}

static inline uint16_t get_u16(const uint8_t *at)
{
    uint16_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return __builtin_bswap16(value);
}

static inline uint32_t get_u32(const uint8_t *at)
{
    uint32_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

static inline uint64_t get_u64(const uint8_t *at)
{
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return __builtin_bswap64(value);
}

#endif
