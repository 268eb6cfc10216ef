/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_bench - CPU time of analysing a workflow, and of what is made of the result
 *
 * An operation is one workflow. The control case, parsing the same JSON alone, is of the same run.
 * With ANALYSIS_CORPUS, a folder of exported workflows, these are analysed as well: the mean over
 * all, and the median file. BENCH_MS changes the length of a case.
 */
#include "config.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/analysis/mermaid.h"
#include "actors/analysis/sarif.h"
#include "actors/analysis/squeeze.h"
#include "actors/analysis/svg.h"
#include "actors/base/clock.h"
#include "proto/json.h"
#include "tests/bench/bench.h"
#include "tests/bench/documents.h"

/* A workflow and all that is made of it, reused from run to run. */
typedef struct {
    buf_t json, packed, answer, out;
    arena_t arena; /* of the document */
    const value_t *document;
    arena_t work;
    const value_t *result;
    sketch_t sketch;
} workflow_t;

static bool s_analyse(workflow_t *self, arena_t *arena)
{
    analysis_result_t result;
    pack_t pack;
    self->answer.size = 0;
    pack_init(&pack, &self->answer);
    if (analysis_run(arena, self->document, &(analysis_options_t){ 0 }, &result) != ANALYSIS_DONE)
        return false;
    result_write(&result, &pack);
    sketch_make(&self->sketch, arena, &result);
    return true;
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void s_run_parse(void *arg)
{
    workflow_t *self = arg;
    self->document = documents_parse(&self->json, &self->packed, &self->arena);
}

static void s_run_key(void *arg)
{
    workflow_t *self = arg;
    uint8_t key[ANALYSIS_KEY_BYTES];
    char why[ANALYSIS_WHY_SIZE];
    arena_reset(&self->work);
    insist(analysis_key(&self->work, self->document, &(analysis_options_t){ 0 }, key, why) ==
           ANALYSIS_DONE);
}

static void s_run_analysis(void *arg)
{
    workflow_t *self = arg;
    arena_reset(&self->work);
    insist(s_analyse(self, &self->work));
}

/* All that a submission costs but the database: parsed, named, analysed, and made fit to store. */
static void s_run_submission(void *arg)
{
    workflow_t *self = arg;
    pack_t pack;
    s_run_parse(self);
    s_run_key(self);
    s_run_analysis(self);
    self->out.size = 0;
    pack_init(&pack, &self->out);
    sketch_write(&self->sketch, &pack);
    squeeze(&self->work, self->answer.bytes, self->answer.size);
    squeeze(&self->work, self->out.bytes, self->out.size);
}

static void s_run_svg(void *arg)
{
    workflow_t *self = arg;
    self->out.size = 0;
    svg_write(&self->sketch, self->result, "Orders", &self->out);
}

static void s_run_mermaid(void *arg)
{
    workflow_t *self = arg;
    self->out.size = 0;
    mermaid_write(&self->sketch, self->result, &self->out);
}

static void s_run_sarif(void *arg)
{
    workflow_t *self = arg;
    sarif_t sarif;
    self->out.size = 0;
    sarif_open(&sarif);
    sarif_add(&sarif, self->result, NULL);
    sarif_close(&sarif, &self->out);
}

static void s_free(workflow_t *self)
{
    buf_free(&self->json);
    buf_free(&self->packed);
    buf_free(&self->answer);
    buf_free(&self->out);
    arena_free(&self->arena);
    arena_free(&self->work);
}

static void s_bench_size(uint32_t nodes)
{
    static const struct {
        const char *name;
        void (*run)(void *arg);
    } before[] = { { "parse (control)", s_run_parse },
                   { "key", s_run_key },
                   { "analyse", s_run_analysis },
                   { "submission without database", s_run_submission } },
      after[] = { { "svg", s_run_svg }, { "mermaid", s_run_mermaid }, { "sarif", s_run_sarif } };
    workflow_t workflow = { 0 };
    arena_t tree = { 0 };
    value_verdict_t verdict;
    char name[64];
    documents_n8n(&workflow.json, nodes);
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        snprintf(name, sizeof name, "%s, %u nodes", before[i].name, nodes);
        bench_repeat("analysis", name, 1, before[i].run, &workflow);
    }
    workflow.result =
        value_parse(&tree, workflow.answer.bytes, workflow.answer.size, VALUE_LIMITS, &verdict);
    for (size_t i = 0; i < COUNT_OF(after); i++) {
        snprintf(name, sizeof name, "%s, %u nodes", after[i].name, nodes);
        bench_repeat("analysis", name, 1, after[i].run, &workflow);
    }
    arena_free(&tree);
    s_free(&workflow);
}

/* ---- a corpus -------------------------------------------------------------------------------- */

typedef struct {
    workflow_t *list;
    size_t count, room;
    double *cpu_us;
} corpus_t;

/* Takes the file when it is a workflow. */
static void s_take(corpus_t *self, const char *path)
{
    workflow_t workflow = { 0 };
    json_error_t error;
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    for (size_t got = 1; got > 0; workflow.json.size += got)
        got = fread(buf_reserve(&workflow.json, 65536), 1, 65536, file);
    fclose(file);
    bool is_one = json_to_msgpack((const char *)workflow.json.bytes, workflow.json.size,
                                  VALUE_LIMITS, 0, &workflow.packed, &error);
    if (is_one)
        s_run_parse(&workflow);
    if (!is_one || !s_analyse(&workflow, &workflow.work)) {
        s_free(&workflow);
        return;
    }
    arena_free(&workflow.work);
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 1024;
        self->list = mem_resize(self->list, self->room * sizeof *self->list);
    }
    self->list[self->count++] = workflow;
}

static void s_run_corpus(void *arg)
{
    corpus_t *self = arg;
    arena_t work = { 0 };
    for (size_t i = 0; i < self->count; i++) {
        arena_reset(&work);
        s_analyse(&self->list[i], &work);
    }
    arena_free(&work);
}

static int s_by_time(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* The median of the files' own times; a clock of microseconds needs several runs of each. */
static void s_print_median(corpus_t *self)
{
    enum { RUNS = 20 };
    arena_t work = { 0 };
    self->cpu_us = mem_array(self->count, sizeof *self->cpu_us);
    for (size_t i = 0; i < self->count; i++) {
        uint64_t start = clock_cpu_us();
        for (int run = 0; run < RUNS; run++) {
            arena_reset(&work);
            s_analyse(&self->list[i], &work);
        }
        self->cpu_us[i] = (double)(clock_cpu_us() - start) / RUNS;
    }
    qsort(self->cpu_us, self->count, sizeof *self->cpu_us, s_by_time);
    double median = self->cpu_us[self->count / 2];
    bench_print("analysis", "corpus, median file", 1, median > 1 ? (uint64_t)median : 1, median);
    arena_free(&work);
    mem_free(self->cpu_us);
}

static void s_bench_corpus(char *folder)
{
    corpus_t corpus = { 0 };
    char *const roots[] = { folder, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk && (entry = fts_read(walk));)
        if (entry->fts_info == FTS_F && corpus.count < bench_number("FILES", 5000))
            s_take(&corpus, entry->fts_path);
    if (walk)
        fts_close(walk);
    if (corpus.count) {
        bench_repeat("analysis", "corpus, all files", corpus.count, s_run_corpus, &corpus);
        s_print_median(&corpus);
    }
    for (size_t i = 0; i < corpus.count; i++)
        s_free(&corpus.list[i]);
    mem_free(corpus.list);
}

int main(void)
{
    static const uint32_t sizes[] = { 10, 100, 1000, 10000 };
    char *folder = getenv("ANALYSIS_CORPUS");
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        s_bench_size(sizes[i]);
    if (folder && folder[0])
        s_bench_corpus(folder);
    return 0;
}
