/* SPDX-License-Identifier: MPL-2.0
 *
 * db_postgres - what the three files of the PostgreSQL backend share; private to them
 *
 * db_postgres.c: statements, results, transactions. db_postgres_link.c: the connection, made again
 * after a loss, and what travels over it. db_postgres_codec.c: values in the binary format.
 */
#ifndef SIGNALBOX_DB_POSTGRES_H
#define SIGNALBOX_DB_POSTGRES_H

#include <libpq-fe.h>

#include "actors/runtime/db_backend.h"
#include "actors/runtime/db_params.h"

typedef struct postgres_prepared postgres_prepared_t;

typedef struct {
    db_conn_t base;
    PGconn *link; /* in pipeline mode; NULL until connected and after a loss */
    postgres_prepared_t *prepared;
    uint32_t prepared_count; /* names the next one */
    bool begin;              /* BEGIN is sent together with the next statement */
} postgres_conn_t;

static inline postgres_conn_t *postgres_conn(db_conn_t *base)
{
    return CONTAINER_OF(base, postgres_conn_t, base);
}

/* ---- db_postgres_link.c ---------------------------------------------------------------------- */

/* What the connections of one database know together: when the server did not answer, one of them
 * tries again after a pause, and meanwhile the others fail at once. */
typedef struct {
    pthread_mutex_t mutex;
    uint32_t failures;     /* in a row; how often the pause has doubled */
    uint64_t try_again_us; /* not before */
} postgres_gate_t;

/* Whether the link stands, or stands again. */
bool postgres_connect(postgres_conn_t *self);

/* Closes the link and forgets what was prepared over it. */
void postgres_disconnect(postgres_conn_t *self);

/* Sends the pipeline and reads its results, at most for the statement deadline. DB_OK with the
 * result of the last command, or the failure of the first that failed. `queued` is false when the
 * connection did not even take the commands; `result` may be NULL. */
db_status_t postgres_exchange(postgres_conn_t *self, const char *what, bool queued,
                              PGresult **result);

/* Runs several statements without parameters, without a deadline. */
db_status_t postgres_script(postgres_conn_t *self, const char *what, const char *text);

/* Forgets all prepared statements: in db_postgres.c. */
void postgres_forget(postgres_conn_t *self);

/* ---- db_postgres_codec.c --------------------------------------------------------------------- */

/* The parameters of one execution as libpq wants them. */
typedef struct {
    const char *values[DB_PARAMS_MAX];
    int sizes[DB_PARAMS_MAX];
    int formats[DB_PARAMS_MAX];
    uint8_t numbers[DB_PARAMS_MAX][8];
} postgres_values_t;

/* Whether the parameter may go where the server expects `type`. */
bool postgres_takes(const db_param_t *param, Oid type);

/* Encodes one parameter for the type the server expects; false when a number is out of range. */
bool postgres_encode(postgres_values_t *values, size_t index, const db_param_t *param, Oid type);

/* Whether a column of `type` can be read. */
bool postgres_reads(Oid type);

db_cell_t postgres_decode(const PGresult *result, int row, int column);

/* The status of a SQLSTATE. `renew`: the connection is of no further use. */
db_status_t postgres_status(const char *sqlstate, bool *renew);

#endif
