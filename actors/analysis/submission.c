/* SPDX-License-Identifier: MPL-2.0
 *
 * submission - what is to be analysed: which version of which workflow of whom
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/analysis/submission.h"

#define NAMED_ID_BYTES 8 /* shorter ids of documents are counted up by each installation anew */

/* BLAKE2b over texts that are told apart by the NUL behind each. */
static void s_hash(uint8_t hash[ANALYSIS_KEY_BYTES], const char *const *texts, size_t count,
                   const uint8_t *key)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, key ? ANALYSIS_KEY_BYTES : 0, ANALYSIS_KEY_BYTES);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, (const uint8_t *)texts[i], strlen(texts[i]) + 1);
    crypto_generichash_final(&state, hash, ANALYSIS_KEY_BYTES);
}

static const char *s_clean(arena_t *arena, slice_t text)
{
    char room[SLICE_CLEAN_BYTES];
    slice_t clean = slice_clean(text, room);
    return arena_text(arena, clean.text, clean.size);
}

/* What ties versions together: the caller's own name for the workflow, or the document's id, or its
 * name. A document without any of them is tied to nothing but itself, so its content is its name.
 */
static void s_identify(submission_t *self, arena_t *arena,
                       const uint8_t content[ANALYSIS_KEY_BYTES])
{
    char hex[2 * ANALYSIS_KEY_BYTES + 1];
    const char *own = value_dup_text(arena, self->request, "name"), *tie;
    slice_t id, name;
    analyser_identify(analyser_named(slice_literal(self->options.kind)), self->document, &id,
                      &name);
    if (own)
        name = slice_literal(own);
    self->name = name.size ? s_clean(arena, name) : NULL;
    if (own)
        tie = arena_format(arena, "own %s", own);
    else if (id.size >= NAMED_ID_BYTES)
        tie = arena_format(arena, "id %s", s_clean(arena, id));
    else if (self->name)
        tie = arena_format(arena, "name %s", self->name);
    else
        tie = arena_format(arena, "content %s", id_hex(content, ANALYSIS_KEY_BYTES, hex));

    uint8_t hash[ANALYSIS_KEY_BYTES];
    const char *const whose[] = { self->account, self->options.kind, tie };
    s_hash(hash, whose, COUNT_OF(whose), NULL);
    id_uuid8(hash, self->workflow_id);
    s_hash(self->key, &tie, 1, content);
}

/* What would be a version of another workflow is tied to this one. */
static void s_tie_to(submission_t *self, arena_t *arena, const char *workflow_id,
                     const uint8_t content[ANALYSIS_KEY_BYTES])
{
    const char *tie = arena_format(arena, "workflow %s", workflow_id);
    memcpy(self->workflow_id, workflow_id, ID_UUID_SIZE);
    s_hash(self->key, &tie, 1, content);
}

bool submission_read(submission_t *self, arena_t *arena, const char *account,
                     const char *workflow_id, const value_t *request, char why[ANALYSIS_WHY_SIZE])
{
    uint8_t content[ANALYSIS_KEY_BYTES];
    const char *kind = value_dup_text(arena, request, "kind");
    const char *profile = value_dup_text(arena, request, "profile");
    *self = (submission_t){ .request = request,
                            .document = value_get(request, "workflow"),
                            .account = account };
    const analyser_t *analyser =
        kind ? analyser_named(slice_literal(kind)) : analyser_detected(self->document);
    self->options = (analysis_options_t){ .kind = analyser ? analyser->kind : kind,
                                          .profile = profile ? profile : "default" };
    if (analysis_key(arena, self->document, &self->options, content, why) != ANALYSIS_DONE)
        return false;
    s_identify(self, arena, content);
    if (workflow_id && strcmp(workflow_id, self->workflow_id) != 0)
        s_tie_to(self, arena, workflow_id, content);
    return true;
}
