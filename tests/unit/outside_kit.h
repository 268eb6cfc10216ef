/* SPDX-License-Identifier: MPL-2.0
 *
 * outside_kit - the databases of the services that call the outside, filled with many rows
 */
#ifndef SIGNALBOX_OUTSIDE_KIT_H
#define SIGNALBOX_OUTSIDE_KIT_H

#include "tests/kit/plans.h"

/* A database of one service's tables. */
typedef struct {
    place_t place;
    db_t *db;
    arena_t arena;
} outside_t;

static inline void outside_open(outside_t *self, const db_migration_t *migrations)
{
    *self = (outside_t){ 0 };
    place_make(&self->place);
    self->db = place_open(&self->place, migrations, DB_MIGRATE_APPLY);
    if (!self->db)
        die("%s", self->place.why);
}

static inline void outside_close(outside_t *self)
{
    place_end(&self->place, &self->db);
    arena_free(&self->arena);
}

/* The two databases make numbers and texts of them in different ways. */
#if defined(TEST_ON_POSTGRES)
#    define UUID(head, n) "'0000000" head "-0000-7000-8000-' || lpad(CAST(" n " AS TEXT), 12, '0')"
#    define NUMBERS       "generate_series(0, 99999) AS numbers (n)"
#    define BYTES         "decode('00', 'hex')"
#else
#    define UUID(head, n) "printf('0000000" head "-0000-7000-8000-%012d', " n ")"
#    define NUMBERS                                                                                \
        "(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n <"   \
        " 99999) SELECT n FROM numbers)"
#    define BYTES "x'00'"
#endif

#define FILL(table, columns, values)                                                               \
    {                                                                                              \
        "test.fill_" table, "INSERT INTO " table " (" columns ") SELECT " values " FROM " NUMBERS, \
            NULL                                                                                   \
    }

/* What the parameter of a statement is; a text, or else the number. */
typedef struct {
    const char *name, *text;
    int64_t number;
} outside_value_t;

static inline db_param_t outside_value(const outside_value_t *values, size_t count,
                                       const char *statement, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, values[i].name) == 0)
            return values[i].text ? DB_P_TEXT(values[i].name, values[i].text)
                                  : DB_P_INT(values[i].name, values[i].number);
    die("the test has no value for $%s of %s", name, statement);
}

/* Statements of several files in one list. */
static inline void outside_gather(const db_sql_t *const *const *files, size_t count,
                                  const db_sql_t **list, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        for (const db_sql_t *const *at = files[i]; *at; at++) {
            insist(used + 1 < room);
            list[used++] = *at;
        }
    list[used] = NULL;
}

/* How many rows a table has, with a condition or without. */
static inline int64_t outside_count(db_t *db, arena_t *arena, const char *of)
{
    db_sql_t *count = arena_alloc(arena, sizeof *count); /* its address is its name */
    *count =
        (db_sql_t){ "test.count", arena_format(arena, "SELECT count(*) AS n FROM %s", of), NULL };
    return place_number(db, count);
}

#endif
