/* SPDX-License-Identifier: MPL-2.0
 *
 * crash - the last line of a process that ends by a fault of its own
 *
 * What a signal handler may call is listed in signal-safety(7). dladdr is not on the list (it may
 * lock): which code lies where is noted at the start. glibc's backtrace loads a library when it is
 * first called, so it is called once before.
 */
#include "config.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "actors/base/crash.h"
#include "actors/base/crash_line.h"
#include "actors/base/id.h"
#include "actors/base/log_parts.h"
#include "actors/base/text.h"

#define FRAMES_MAX   48
#define MODULES_MAX  64
#define MODULE_BYTES 40
#define STACK_BYTES  (64 * 1024)
#define ID_BYTES_MAX 20
#define PART_BYTES   64

/* ---- what is known beforehand --------------------------------------------------------------- */

/* A file of code in memory. */
typedef struct {
    uintptr_t base, end;
    char name[MODULE_BYTES + 1];
} module_t;

typedef struct {
    atomic_bool is_there;
    char part[PART_BYTES + 1], instance[ID_INSTANCE_SIZE];
    uint64_t boot;
} life_t;

static const struct {
    int number;
    const char *name;
} s_signals[] = {
    { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },   { SIGFPE, "SIGFPE" },
    { SIGILL, "SIGILL" },   { SIGABRT, "SIGABRT" },
};

static module_t s_modules[MODULES_MAX];
static size_t s_module_count;
static char s_build_id[2 * ID_BYTES_MAX + 1];
static life_t s_lives[CRASH_LIVES_MAX];
static pthread_mutex_t s_lives_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t s_stack_key;
static atomic_bool s_watches;
static atomic_bool s_has_said; /* its last words */
static crash_line_t s_line;

/* ---- who has gone with it ------------------------------------------------------------------- */

static void s_add_lives(crash_line_t *line)
{
    const char *comma = "";
    crash_line_add(line, ",\"instances\":[");
    for (size_t i = 0; i < CRASH_LIVES_MAX; i++) {
        const life_t *life = &s_lives[i];
        if (!atomic_load(&life->is_there))
            continue;
        crash_line_add(line, comma);
        crash_line_add(line, "{\"part\":\"");
        crash_line_plain(line, life->part);
        crash_line_add(line, "\",\"instance\":\"");
        crash_line_plain(line, life->instance);
        crash_line_add(line, "\",\"boot\":");
        crash_line_number(line, life->boot, 10, 1);
        crash_line_add(line, "}");
        comma = ",";
    }
    crash_line_add(line, "]");
}

/* ---- the calls ------------------------------------------------------------------------------ */

/* The file of code that the address lies in; NULL: none. */
static const module_t *s_module(uintptr_t address)
{
    for (size_t i = 0; i < s_module_count; i++)
        if (address >= s_modules[i].base && address < s_modules[i].end)
            return &s_modules[i];
    return NULL;
}

static void s_add_frame(crash_line_t *line, uintptr_t address, bool is_first)
{
    const module_t *module = s_module(address);
    crash_line_add(line, is_first ? "\"" : ",\"");
    if (module) {
        crash_line_plain(line, module->name);
        crash_line_add(line, "+");
        address -= module->base;
    }
    crash_line_add(line, "0x");
    crash_line_number(line, address, 16, 1);
    crash_line_add(line, "\"");
}

/* Where a signal came, and where the function that was just called was called from. */
typedef struct {
    uintptr_t at, called_from; /* 0: not known here */
} place_t;

static place_t s_interrupted(const void *context)
{
    const ucontext_t *interrupted = context;
    if (!interrupted)
        return (place_t){ 0 };
#if defined(__x86_64__)
    const greg_t *registers = interrupted->uc_mcontext.gregs;
    uintptr_t at = (uintptr_t)registers[REG_RIP];
    return (place_t){ at, s_module(at) ? 0 : *(const uintptr_t *)registers[REG_RSP] };
#elif defined(__aarch64__)
    return (place_t){ interrupted->uc_mcontext.pc, interrupted->uc_mcontext.regs[30] };
#else
    return (place_t){ 0 };
#endif
}

/* The calls that led to the signal, without the report itself. All but the first are addresses
 * behind a call, which may be another line already: told is the byte before. */
static void s_add_backtrace(crash_line_t *line, const void *context)
{
    void *frames[FRAMES_MAX];
    const place_t place = s_interrupted(context);
    crash_line_add(line, ",\"backtrace\":[");
    if (place.at &&
        !s_module(place.at)) { /* a call to nowhere, which nothing can be followed from */
        s_add_frame(line, place.at, true);
        s_add_frame(line, place.called_from - 1, false);
    } else {
        int count = backtrace(frames, FRAMES_MAX), first = 0;
        while (first < count && place.at && (uintptr_t)frames[first] != place.at)
            first++;
        if (first == count)
            first = 0;
        for (int i = first; i < count; i++)
            s_add_frame(line, (uintptr_t)frames[i] - !(place.at && i == first), i == first);
    }
    crash_line_add(line, "]");
}

/* ---- telling -------------------------------------------------------------------------------- */

static const char *s_signal_name(int number)
{
    for (size_t i = 0; i < COUNT_OF(s_signals); i++)
        if (s_signals[i].number == number)
            return s_signals[i].name;
    return "";
}

typedef struct {
    const char *event;
    int signal;      /* 0: none */
    const char *why; /* NULL: the signal says it */
    const siginfo_t *info;
    const void *context;
    bool has_calls;
} end_t;

static void s_tell(const end_t *end)
{
    const log_request_t *request = log_request();
    crash_line_t *line = &s_line;
    line->size = 0;
    crash_line_add(line, "{\"timestamp\":\"");
    crash_line_now(line);
    crash_line_add(line, "\"");
    crash_line_pair(line, "severity_text", "FATAL");
    crash_line_pair(line, "part", log_part());
    crash_line_pair(line, "event_name", end->event);
    if (request->request_id[0])
        crash_line_pair(line, "request_id", request->request_id);
    if (request->trace_id[0])
        crash_line_pair(line, "trace_id", request->trace_id);
    if (end->signal)
        crash_line_pair(line, "signal", s_signal_name(end->signal));
    if (end->info && (end->signal == SIGSEGV || end->signal == SIGBUS)) {
        crash_line_add(line, ",\"address\":\"0x");
        crash_line_number(line, (uintptr_t)end->info->si_addr, 16, 1);
        crash_line_add(line, "\"");
    }
    if (end->why)
        crash_line_pair(line, "why", end->why);
    crash_line_pair(line, "build_id", s_build_id);
    s_add_lives(line);
    if (end->has_calls)
        s_add_backtrace(line, end->context);
    crash_line_write(line);
}

/* Of several threads that break at once the first tells; the others wait for the end that it
 * brings. What breaks while it is told is told without the calls, since following them broke it. */
typedef enum { TELLS_ALL, TELLS_WITHOUT_CALLS, TELLS_NOTHING } turn_t;

static turn_t s_take_turn(void)
{
    static _Atomic(pid_t) s_teller;
    static atomic_int s_turn;
    pid_t nobody = 0, self = gettid();
    while (!atomic_compare_exchange_strong(&s_teller, &nobody, self) && nobody != self)
        pause();
    int turn = atomic_fetch_add(&s_turn, 1);
    return turn < TELLS_NOTHING ? (turn_t)turn : TELLS_NOTHING;
}

static void s_on_signal(int number, siginfo_t *info, void *context)
{
    const turn_t turn = atomic_load(&s_has_said) ? TELLS_NOTHING : s_take_turn();
    if (turn != TELLS_NOTHING)
        s_tell(&(end_t){ .event = "process.crashed",
                         .signal = number,
                         .info = info,
                         .context = context,
                         .has_calls = turn == TELLS_ALL });
    signal(number, SIG_DFL);
    raise(number); /* comes at once: SA_NODEFER */
}

static void s_on_last_words(const char *sentence, bool is_broken)
{
    if (s_take_turn() == TELLS_ALL)
        s_tell(&(end_t){ .event = is_broken ? "process.crashed" : "process.died",
                         .signal = is_broken ? SIGABRT : 0,
                         .why = sentence,
                         .has_calls = true });
    atomic_store(&s_has_said, true);
}

/* ---- beginning ------------------------------------------------------------------------------ */

/* The linker's name for the build, in a note of the program (ld --build-id). */
static void s_note_build(const struct dl_phdr_info *info, const ElfW(Phdr) * segment)
{
    const char *at = (const char *)(info->dlpi_addr + segment->p_vaddr);
    const char *end = at + segment->p_memsz;
    while (end - at > (ptrdiff_t)sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *note = (const void *)at;
        const char *name = at + sizeof *note, *id = name + ((note->n_namesz + 3u) & ~3u);
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof "GNU" &&
            memcmp(name, "GNU", sizeof "GNU") == 0 && note->n_descsz <= ID_BYTES_MAX)
            id_hex(id, note->n_descsz, s_build_id);
        at = id + ((note->n_descsz + 3u) & ~3u);
    }
}

static int s_note_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    if (s_module_count == MODULES_MAX)
        return 1;
    module_t *module = &s_modules[s_module_count];
    const bool is_program = s_module_count++ == 0;
    const char *path = is_program ? program_invocation_short_name : info->dlpi_name;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    text_copy(module->name, sizeof module->name, name, strlen(name));
    module->base = module->end = info->dlpi_addr;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        if (segment->p_type == PT_LOAD && end > module->end)
            module->end = end;
        if (segment->p_type == PT_NOTE && is_program)
            s_note_build(info, segment);
    }
    return 0;
}

static void s_free_stack(void *memory)
{
    sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
    munmap(memory, STACK_BYTES);
}

void crash_cover_thread(void)
{
    stack_t stack;
    if (!atomic_load(&s_watches) || sigaltstack(NULL, &stack) != 0 ||
        !(stack.ss_flags & SS_DISABLE))
        return;
    void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return; /* then a stack that runs out ends the process without a word, as it always did */
    sigaltstack(&(stack_t){ .ss_sp = memory, .ss_size = STACK_BYTES }, NULL);
    pthread_setspecific(s_stack_key, memory);
}

static void s_watch(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0 || action.sa_flags & SA_SIGINFO ||
        action.sa_handler != SIG_DFL)
        return;
    action = (struct sigaction){ .sa_sigaction = s_on_signal,
                                 .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigaction(number, &action, NULL);
}

void crash_begin(void)
{
    void *frame;
    if (atomic_exchange(&s_watches, true))
        return;
    insist(pthread_key_create(&s_stack_key, s_free_stack) == 0);
    backtrace(&frame, 1);
    dl_iterate_phdr(s_note_module, NULL);
    crash_cover_thread();
    for (size_t i = 0; i < COUNT_OF(s_signals); i++)
        s_watch(s_signals[i].number);
    base_tell_end(s_on_last_words);
}

/* ---- who lives here ------------------------------------------------------------------------- */

void crash_add_life(const char *part, const char *instance, uint64_t boot)
{
    size_t i = 0;
    pthread_mutex_lock(&s_lives_mutex);
    while (i < CRASH_LIVES_MAX && atomic_load(&s_lives[i].is_there))
        i++;
    if (i < CRASH_LIVES_MAX) {
        text_copy(s_lives[i].part, sizeof s_lives[i].part, part, strlen(part));
        text_copy(s_lives[i].instance, sizeof s_lives[i].instance, instance, strlen(instance));
        s_lives[i].boot = boot;
        atomic_store(&s_lives[i].is_there, true);
    }
    pthread_mutex_unlock(&s_lives_mutex);
}

void crash_remove_life(const char *part, const char *instance)
{
    pthread_mutex_lock(&s_lives_mutex);
    for (size_t i = 0; i < CRASH_LIVES_MAX; i++)
        if (atomic_load(&s_lives[i].is_there) && strcmp(s_lives[i].part, part) == 0 &&
            strcmp(s_lives[i].instance, instance) == 0)
            atomic_store(&s_lives[i].is_there, false);
    pthread_mutex_unlock(&s_lives_mutex);
}
