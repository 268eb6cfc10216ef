/* SPDX-License-Identifier: MPL-2.0
 *
 * db_params - turns the $name parameters of a statement into PostgreSQL's $1, $2, ...
 */
#ifndef SIGNALBOX_DB_PARAMS_H
#define SIGNALBOX_DB_PARAMS_H

#include "actors/base/buf.h"
#include "actors/runtime/db_backend.h"

typedef struct {
    buf_t text; /* with $1, $2, ... */
    const char *names[DB_PARAMS_MAX];
    size_t count;
} db_params_t;

/* A name that occurs again keeps its number. String literals ('...', E'...', $tag$...$tag$), quoted
 * identifiers and comments are left as they are (PostgreSQL manual, 4.1 "Lexical Structure"). */
void db_params_parse(db_params_t *self, const char *sql);
void db_params_free(db_params_t *self);

#endif
