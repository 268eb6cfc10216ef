/* SPDX-License-Identifier: MPL-2.0
 *
 * server - a PostgreSQL or Redis that a C test stops and starts, by way of tests/kit/NAME.py
 */
#ifndef SIGNALBOX_TEST_SERVER_H
#define SIGNALBOX_TEST_SERVER_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    pid_t process;
    FILE *say, *hear;
    char url[256];
} server_t;

/* Waits for the answer to the last command. */
static inline bool server_hear(server_t *self, const char *expected)
{
    char line[320];
    if (!fgets(line, sizeof line, self->hear))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "ready ", 6) == 0)
        snprintf(self->url, sizeof self->url, "%.255s", line + 6);
    return strncmp(line, expected, strlen(expected)) == 0;
}

/* "stop" breaks connections off in order, "kill" is a crash, "start" starts it again; of a Redis
 * also "freeze" and "thaw". */
static inline bool server_do(server_t *self, const char *command)
{
    fprintf(self->say, "%s\n", command);
    fflush(self->say);
    bool comes_back = strcmp(command, "start") == 0 || strcmp(command, "thaw") == 0;
    return server_hear(self, comes_back ? "ready" : "stopped");
}

/* Starts `name`, "postgres" or "redis"; false when there is none on this machine. */
static inline bool server_start(server_t *self, const char *name)
{
    int to[2], from[2];
    char path[512];
    const char *source = getenv("srcdir");
    snprintf(path, sizeof path, "%s/tests/kit/%s.py", source ? source : ".", name);
    if (pipe(to) != 0 || pipe(from) != 0)
        return false;
    self->process = fork();
    if (self->process == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        close(from[0]);
        execl(path, path, "serve", NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    self->say = fdopen(to[1], "w");
    self->hear = fdopen(from[0], "r");
    return server_hear(self, "ready");
}

static inline void server_end(server_t *self)
{
    fclose(self->say);
    waitpid(self->process, NULL, 0);
    fclose(self->hear);
}

#endif
