/* SPDX-License-Identifier: MPL-2.0
 *
 * What control groups leave of the machine's memory.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/base/host.h"
#include "tests/tap.h"

#define MIB (1 << 20)

static char s_root[] = "/tmp/base_host_test-XXXXXX";

static void s_write(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", s_root, name);
    FILE *file = fopen(path, "w");
    insist(file);
    fputs(text, file);
    fclose(file);
}

static void s_make(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", s_root, name);
    insist(mkdir(path, 0700) == 0);
}

static bool s_ask(uint64_t *memory, uint64_t *left)
{
    char file[300];
    snprintf(file, sizeof file, "%s/group", s_root);
    return host_group_memory(s_root, file, memory, left);
}

static void s_remove(void)
{
    static const char *const names[] = { "a/b/memory.max",
                                         "a/b/memory.current",
                                         "a/b/memory.stat",
                                         "a/b",
                                         "a/memory.max",
                                         "a/memory.current",
                                         "a",
                                         "memory.max",
                                         "memory.current",
                                         "group",
                                         "" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%s", s_root, names[i]);
        remove(path);
    }
}

static void test_groups(void)
{
    uint64_t memory, left;
    insist(mkdtemp(s_root));
    ok(!s_ask(&memory, &left)); /* there are none */
    s_write("group", "9:name=systemd:/x\n8:memory:/y\n");
    ok(!s_ask(&memory, &left)); /* of the first version alone */
    s_write("group", "9:name=systemd:/x\n0::/a/b\n");
    s_make("a");
    s_make("a/b");
    s_write("a/b/memory.max", "max\n");
    s_write("a/b/memory.current", "50331648\n");
    ok(!s_ask(&memory, &left)); /* not bounded */
    s_write("a/b/memory.max", "67108864\n");
    ok(s_ask(&memory, &left));
    is_int(memory, 64 * MIB);
    is_int(left, 16 * MIB);
    s_write("a/b/memory.stat", "anon 1\ninactive_file 8388608\nactive_file 4194304\n");
    ok(s_ask(&memory, &left));
    is_int(left, 24 * MIB);
    s_write("a/memory.max", "104857600\n"); /* the one around it has less left */
    s_write("a/memory.current", "99614720\n");
    ok(s_ask(&memory, &left));
    is_int(memory, 100 * MIB);
    is_int(left, 5 * MIB);
    s_write("a/memory.current", "209715200\n"); /* for a moment there may be more */
    ok(s_ask(&memory, &left));
    is_int(left, 0);
    s_write("group", "0::/\n"); /* as in a container */
    ok(!s_ask(&memory, &left));
    s_write("memory.max", "33554432\n");
    s_write("memory.current", "1048576\n");
    ok(s_ask(&memory, &left));
    is_int(left, 31 * MIB);
    s_remove();
}

/* Whatever the machine is, not more is left than there is. */
static void test_here(void)
{
    const host_t host = host_read();
    ok(host.processors > 0 && host.memory_left <= host.memory);
}

TESTS({ "groups", test_groups }, { "here", test_here })
