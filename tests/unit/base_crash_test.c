/* SPDX-License-Identifier: MPL-2.0
 *
 * Children end in every way there is; what they leave on standard error is read as JSON.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log.h"
#include "proto/json.h"
#include "tests/tap.h"

static char s_output[16384];

static void s_break_promise(void)
{
    insist(getpid() < 0);
}

static void s_die(void)
{
    die("there is no %s", "\"reason\"");
}

static void s_abort(void)
{
    raise(SIGABRT);
}

/* Where nothing is; read each time, so that the compiler cannot know. */
static volatile uintptr_t s_nowhere = 16;

static void s_touch_nothing(void)
{
    *(volatile int *)s_nowhere = 1;
}

static void s_jump_nowhere(void)
{
    ((void (*)(void))(uintptr_t)32)();
}

static unsigned s_sink;

__attribute__((noinline)) static void s_recurse(unsigned depth)
{
    volatile char room[4096];
    room[depth % sizeof room] = 1;
    if (depth < 1000000)
        s_recurse(depth + 1);
    s_sink += (unsigned)room[0];
}

static void *s_overflow(void *arg)
{
    log_set_part("deep");
    s_recurse(0);
    return arg;
}

/* On a thread of its own: every thread is covered. */
static void s_run_out_of_stack(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, s_overflow, NULL) == 0)
        pthread_join(thread, NULL);
}

/* Runs it in a child that watches; its output is in `s_output`. Returns the child's end as wait(2)
 * tells it. */
static int s_end(void (*run)(void))
{
    int ends[2], status = 0;
    size_t used = 0;
    if (pipe(ends) < 0)
        die("no pipe");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        log_set_part("test");
        crash_add_life("gone", "gone-1", 5);
        crash_add_life("cache", "cache-1", 1795258001595);
        crash_remove_life("gone", "gone-1");
        crash_begin();
        log_set_request("req-1", "0af7651916cd43dd8448eb211c80319c");
        run();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got; used < sizeof s_output - 1 &&
                      (got = read(ends[0], s_output + used, sizeof s_output - 1 - used)) > 0;)
        used += (size_t)got;
    s_output[used] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return status;
}

/* The output as one line of JSON; NULL when it is none. */
static const value_t *s_line(arena_t *arena)
{
    buf_t bytes = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    const value_t *value = NULL;
    size_t size = strlen(s_output);
    if (size > 0 && strchr(s_output, '\n') == s_output + size - 1 &&
        json_to_msgpack(s_output, size - 1, VALUE_LIMITS, 0, &bytes, &error))
        value = value_parse(arena, arena_text(arena, bytes.bytes, bytes.size), bytes.size,
                            VALUE_LIMITS, &verdict);
    buf_free(&bytes);
    return value;
}

/* Whether somebody else, a sanitizer, reports what the memory is asked in vain. */
static bool s_is_taken(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 &&
           (action.sa_flags & SA_SIGINFO || action.sa_handler != SIG_DFL);
}

static void test_ends(void)
{
    static const struct {
        const char *what;
        void (*run)(void);
        int signal; /* that ends the process; 0: status 2 */
        const char *event, *part, *why;
    } ends[] = {
        { "abort", s_abort, SIGABRT, "process.crashed", "test", NULL },
        { "a broken promise", s_break_promise, SIGABRT, "process.crashed", "test",
          "broken promise in s_break_promise (" },
        { "die", s_die, 0, "process.died", "test", "there is no 'reason'" },
        { "a bad address", s_touch_nothing, SIGSEGV, "process.crashed", "test", NULL },
        { "a jump to nowhere", s_jump_nowhere, SIGSEGV, "process.crashed", "test", NULL },
        { "no more stack", s_run_out_of_stack, SIGSEGV, "process.crashed", "deep", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        arena_t arena = { 0 };
        int status = s_end(ends[i].run);
        if (ends[i].signal == SIGSEGV && s_is_taken(SIGSEGV)) {
            ok_named(status != 0, ends[i].what);
            continue;
        }
        const value_t *line = s_line(&arena), *why = value_get(line, "why");
        const value_t *lives = value_get(line, "instances"), *life = value_item(lives, 0);
        ok_named(ends[i].signal ? WIFSIGNALED(status) && WTERMSIG(status) == ends[i].signal
                                : WIFEXITED(status) && WEXITSTATUS(status) == 2,
                 ends[i].what);
        ok_named(value_is(value_get(line, "event_name"), ends[i].event) &&
                     value_is(value_get(line, "severity_text"), "FATAL") &&
                     value_is(value_get(line, "part"), ends[i].part),
                 ends[i].event);
        ok(!ends[i].why || (value_is_type(why, VALUE_TEXT) &&
                            strncmp(why->text, ends[i].why, strlen(ends[i].why)) == 0));
        ok(value_is_type(value_get(line, "backtrace"), VALUE_ARRAY) &&
           value_get(line, "backtrace")->count > 1);
        ok(lives && lives->count == 1 && value_is(value_get(life, "instance"), "cache-1") &&
           value_get_int(life, "boot", 0) == 1795258001595);
        ok(!ends[i].signal == !value_get(line, "signal"));
        arena_free(&arena);
    }
}

static void test_who_was_asked(void)
{
    arena_t arena = { 0 };
    int64_t wall_ms;
    s_end(s_abort);
    const value_t *line = s_line(&arena), *when = value_get(line, "timestamp");
    ok(value_is(value_get(line, "request_id"), "req-1"));
    ok(value_is(value_get(line, "trace_id"), "0af7651916cd43dd8448eb211c80319c"));
    ok(value_is_type(when, VALUE_TEXT) && clock_parse(when->text, when->count, &wall_ms) &&
       wall_ms <= clock_wall_ms() && wall_ms > clock_wall_ms() - 60000);
    arena_free(&arena);
}

/* The report is for one life; who does not watch ends as ever. */
static void test_without_watching(void)
{
    int ends[2];
    fflush(stdout);
    if (pipe(ends) < 0)
        die("no pipe");
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
        dup2(ends[1], STDERR_FILENO);
        s_die();
    }
    close(ends[1]);
    ssize_t got = read(ends[0], s_output, sizeof s_output - 1);
    s_output[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    waitpid(child, NULL, 0);
    is_text(s_output, "signalbox: there is no \"reason\"\n");
}

TESTS({ "ends", test_ends }, { "who was asked", test_who_was_asked },
      { "without watching", test_without_watching })
