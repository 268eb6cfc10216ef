/* SPDX-License-Identifier: MPL-2.0
 *
 * db_postgres_codec - values in PostgreSQL's binary format, and what its error codes mean
 *
 * Numbers travel in network order, text and bytes as they are, so nothing is printed or parsed.
 */
#include "config.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "actors/runtime/db_postgres.h"

/* From pg_type.dat; the numbers of built-in types never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT8 = 701,
    OID_VARCHAR = 1043,
};

bool postgres_reads(Oid type)
{
    static const Oid types[] = { OID_BOOL, OID_BYTEA, OID_INT8,   OID_INT2,
                                 OID_INT4, OID_TEXT,  OID_FLOAT8, OID_VARCHAR };
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i] == type)
            return true;
    return false;
}

/* ---- to the server --------------------------------------------------------------------------- */

/* Bytes of the number, 0 when it does not fit. */
static int s_put_integer(uint8_t *at, int64_t value, Oid type)
{
    switch (type) {
    case OID_BOOL:
        at[0] = value == 1;
        return value == 0 || value == 1 ? 1 : 0;
    case OID_INT2:
        put_u16(at, (uint16_t)value);
        return value >= INT16_MIN && value <= INT16_MAX ? 2 : 0;
    case OID_INT4:
        put_u32(at, (uint32_t)value);
        return value >= INT32_MIN && value <= INT32_MAX ? 4 : 0;
    default:
        put_u64(at, (uint64_t)value);
        return 8;
    }
}

static void s_put_double(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u64(at, bits);
}

bool postgres_takes(const db_param_t *param, Oid type)
{
    switch (param->type) {
    case DB_NULL:
        return true;
    case DB_INT:
        return type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_BOOL ||
               type == OID_FLOAT8;
    case DB_DOUBLE:
        return type == OID_FLOAT8;
    case DB_TEXT:
        return type == OID_TEXT || type == OID_VARCHAR;
    case DB_BLOB:
        return type == OID_BYTEA;
    }
    return false;
}

bool postgres_encode(postgres_values_t *values, size_t index, const db_param_t *param, Oid type)
{
    uint8_t *number = values->numbers[index];
    int size = 0;
    bool fits = true;
    values->formats[index] = 1;
    values->values[index] = (const char *)number;
    switch (param->type) {
    case DB_INT:
        if (type == OID_FLOAT8)
            s_put_double(number, (double)param->integer);
        size = type == OID_FLOAT8 ? 8 : s_put_integer(number, param->integer, type);
        fits = size > 0;
        break;
    case DB_DOUBLE:
        s_put_double(number, param->number);
        size = 8;
        if (isnan(param->number)) /* as SQLite does */
            values->values[index] = NULL;
        break;
    case DB_TEXT:
    case DB_BLOB:
        values->values[index] = param->bytes;
        size = (int)param->size;
        fits = param->size <= INT_MAX;
        break;
    case DB_NULL:
        values->values[index] = NULL;
        break;
    }
    values->sizes[index] = size;
    return fits;
}

/* ---- from the server ------------------------------------------------------------------------- */

static double s_get_double(const uint8_t *at)
{
    uint64_t bits = get_u64(at);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

db_cell_t postgres_decode(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (db_cell_t){ .type = DB_NULL };
    const uint8_t *at = (const uint8_t *)PQgetvalue(result, row, column);
    switch (PQftype(result, column)) {
    case OID_BOOL:
        return (db_cell_t){ .type = DB_INT, .integer = at[0] };
    case OID_INT2:
        return (db_cell_t){ .type = DB_INT, .integer = (int16_t)get_u16(at) };
    case OID_INT4:
        return (db_cell_t){ .type = DB_INT, .integer = (int32_t)get_u32(at) };
    case OID_INT8:
        return (db_cell_t){ .type = DB_INT, .integer = (int64_t)get_u64(at) };
    case OID_FLOAT8:
        return (db_cell_t){ .type = DB_DOUBLE, .number = s_get_double(at) };
    case OID_BYTEA:
        return (db_cell_t){ .type = DB_BLOB,
                            .bytes = at,
                            .size = (size_t)PQgetlength(result, row, column) };
    default:
        return (db_cell_t){ .type = DB_TEXT,
                            .bytes = at,
                            .size = (size_t)PQgetlength(result, row, column) };
    }
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* By code or by class, the first that fits (PostgreSQL manual, appendix A). */
static const struct {
    const char *prefix;
    db_status_t status;
    bool renew;
} s_states[] = {
    { "23", DB_CONSTRAINT, false },    /* integrity constraint violation */
    { "22001", DB_CONSTRAINT, false }, /* text too long for its column */
    { "22003", DB_CONSTRAINT, false }, /* number out of range */
    { "22021", DB_CONSTRAINT, false }, /* not a character of the encoding */
    { "40", DB_CONFLICT, false },      /* serialization failure, deadlock */
    { "55P03", DB_CONFLICT, false },   /* lock not available */
    { "57014", DB_TIMEOUT, false },    /* statement timeout */
    { "53100", DB_FULL, false },       /* disk full */
    { "53", DB_UNAVAILABLE, false },   /* insufficient resources */
    { "58", DB_UNAVAILABLE, false },   /* I/O error */
    { "08", DB_UNAVAILABLE, true },    /* connection exception */
    { "57P", DB_UNAVAILABLE, true },   /* shutdown, crash, starting up */
    { "25006", DB_UNAVAILABLE, true }, /* read-only: after a failover the primary is elsewhere */
    { "25P03", DB_UNAVAILABLE, true }, /* idle in transaction for too long */
    { "28", DB_UNAVAILABLE, true },    /* login refused */
    /* the schema was migrated underneath, so that what was prepared means something else; a new
     * connection prepares it again */
    { "0A000", DB_UNAVAILABLE, true },
    { "26000", DB_UNAVAILABLE, true },
};

db_status_t postgres_status(const char *sqlstate, bool *renew)
{
    for (size_t i = 0; i < COUNT_OF(s_states); i++)
        if (strncmp(sqlstate, s_states[i].prefix, strlen(s_states[i].prefix)) == 0) {
            *renew = s_states[i].renew;
            return s_states[i].status;
        }
    *renew = false;
    return DB_BROKEN;
}
