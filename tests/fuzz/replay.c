/* SPDX-License-Identifier: MPL-2.0
 *
 * replay - runs a fuzz target over its corpus, for `make check`
 *
 * A target built for fuzzing gets its main from libFuzzer instead. The corpus of json_fuzz is the
 * folder tests/fuzz/corpus/json; a file there is a check that passes when the target survives it.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/buf.h"
#include "actors/base/text.h"
#include "tests/fuzz/fuzz.h"

static void s_read(const char *path, buf_t *bytes)
{
    FILE *file = fopen(path, "re");
    bytes->size = 0;
    if (!file)
        die("cannot read '%s'", path);
    for (size_t got = 1; got > 0; bytes->size += got)
        got = fread(buf_reserve(bytes, 65536), 1, 65536, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    const char *source = getenv("srcdir"), *name = strrchr(argv[0], '/');
    char folder[1024], path[2048];
    struct dirent **entries;
    buf_t bytes = { 0 };
    int checks = 0;
    name = name ? name + 1 : argv[0];
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%.*s", source ? source : ".",
             (int)(strlen(name) - strlen("_fuzz")), name);
    int count = scandir(argc > 1 ? argv[1] : folder, &entries, NULL, alphasort);
    if (count < 0)
        die("there is no corpus '%s'", folder);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", argc > 1 ? argv[1] : folder, entries[i]->d_name);
            s_read(path, &bytes);
            LLVMFuzzerTestOneInput(bytes.bytes, bytes.size);
            printf("ok %d - %s\n", ++checks, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    buf_free(&bytes);
    printf("1..%d\n", checks);
    return 0;
}
