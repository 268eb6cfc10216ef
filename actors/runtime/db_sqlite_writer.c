/* SPDX-License-Identifier: MPL-2.0
 *
 * db_sqlite_writer - the file of a SQLite database, its lock, and the one thread that writes
 *
 * Threads hand their works to the writer and wait. The writer takes whatever has arrived, runs it
 * in one transaction with a savepoint for each work (a work that is alone needs none: SQLite copies
 * what changes under one), commits, and wakes them all: what arrives during a commit is the next
 * transaction. So a disk that can flush 2,000 times a second carries
 * many more writes than that, and nothing waits for a timer.
 *
 * SQLite itself may take the whole transaction down when a statement fails (a deadline, a full
 * disk, an I/O error). The work that failed then gets its failure, and the others are run again.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/base/log.h"
#include "actors/base/queue.h"
#include "actors/runtime/db_sqlite.h"
#include "actors/runtime/traced.h"

/* A write that waits. It lives on its thread's stack and is gone once it is woken. */
typedef struct {
    queue_item_t item;
    db_work_t work;
    void *arg;
    const log_request_t *request; /* what its thread works on */
    traced_t traced;              /* and in which trace */
    db_status_t status;
    sem_t done;
} ticket_t;

typedef struct {
    char *path;
    int lock; /* descriptor of the lock file */
    sqlite_conn_t *writer;
    queue_t queue; /* of ticket_t */
    pthread_t thread;
} sqlite_t;

static ticket_t *s_ticket(queue_item_t *item)
{
    return item ? CONTAINER_OF(item, ticket_t, item) : NULL;
}

const char *sqlite_path(const db_t *db)
{
    return ((const sqlite_t *)db->state)->path;
}

db_conn_t *sqlite_writer(db_t *db)
{
    return &((sqlite_t *)db->state)->writer->base;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static const db_sql_t s_begin = { "begin", "BEGIN IMMEDIATE", NULL };
static const db_sql_t s_commit = { "commit", "COMMIT", NULL };
static const db_sql_t s_rollback = { "rollback", "ROLLBACK", NULL };
static const db_sql_t s_begin_work = { "work.begin", "SAVEPOINT work", NULL };
static const db_sql_t s_undo_work = { "work.undo", "ROLLBACK TO work", NULL };
static const db_sql_t s_end_work = { "work.end", "RELEASE work", NULL };

/* Not db_run: these are not counted, and are run when a work has failed too. */
static db_status_t s_do(sqlite_conn_t *conn, const db_sql_t *sql)
{
    return db_sqlite.run(&conn->base, sql, NULL, 0, NULL, NULL);
}

static void s_wake_all(ticket_t *ticket)
{
    while (ticket) {
        ticket_t *next = s_ticket(ticket->item.next);
        sem_post(&ticket->done);
        ticket = next;
    }
}

static db_status_t s_work(sqlite_conn_t *conn, const ticket_t *ticket)
{
    log_enter(ticket->request);
    traced_set(&ticket->traced);
    db_status_t status = db_work(&conn->base, ticket->work, ticket->arg);
    traced_end();
    log_enter(NULL);
    return status;
}

static db_status_t s_run_work(sqlite_conn_t *conn, ticket_t *ticket)
{
    db_status_t status = s_do(conn, &s_begin_work);
    if (status != DB_OK)
        return status;
    status = s_work(conn, ticket);
    if (sqlite3_get_autocommit(conn->handle))
        return status ? status : DB_BROKEN;
    if (status != DB_OK && s_do(conn, &s_undo_work) != DB_OK) {
        s_do(conn, &s_rollback); /* half a work must not be committed with the others */
        return status;
    }
    db_status_t ended = s_do(conn, &s_end_work);
    return status ? status : ended;
}

/* The same where there is no other work to be kept: what fails takes the transaction down. */
static db_status_t s_run_lone_work(sqlite_conn_t *conn, ticket_t *ticket)
{
    db_status_t status = s_work(conn, ticket);
    if (sqlite3_get_autocommit(conn->handle))
        return status ? status : DB_BROKEN;
    if (status != DB_OK)
        s_do(conn, &s_rollback);
    return status;
}

/* Runs the works from `*first` on in one transaction. False when one of them has taken the
 * transaction down: it is woken and taken out of the list, the others are to be run again. */
static bool s_run_works(sqlite_conn_t *conn, queue_item_t **first)
{
    const bool is_alone = !(*first)->next;
    for (queue_item_t **at = first; *at; at = &(*at)->next) {
        ticket_t *ticket = s_ticket(*at);
        ticket->status = is_alone ? s_run_lone_work(conn, ticket) : s_run_work(conn, ticket);
        if (sqlite3_get_autocommit(conn->handle)) {
            *at = ticket->item.next;
            sem_post(&ticket->done);
            return false;
        }
    }
    return true;
}

static db_status_t s_finish(sqlite_conn_t *conn)
{
    db_status_t status = s_do(conn, &s_commit);
    if (status == DB_OK)
        stats_add(&conn->base.db->stats, DB_COMMITS, 1);
    else if (!sqlite3_get_autocommit(conn->handle))
        s_do(conn, &s_rollback);
    return status;
}

static void s_run_batch(sqlite_conn_t *conn, queue_item_t *first)
{
    db_status_t status = DB_OK;
    do {
        if (!first)
            return;
        status = s_do(conn, &s_begin);
    } while (status == DB_OK && !s_run_works(conn, &first));
    if (status == DB_OK)
        status = s_finish(conn);
    if (status != DB_OK)
        for (ticket_t *ticket = s_ticket(first); ticket; ticket = s_ticket(ticket->item.next))
            ticket->status = status;
    s_wake_all(s_ticket(first));
}

static void *s_thread(void *memory)
{
    db_t *db = memory;
    sqlite_t *self = db->state;
    log_set_part(db->service);
    /* so that a work which asks for this thread's connection is found out */
    insist(pthread_setspecific(db->mine, &self->writer->base) == 0);
    for (queue_item_t *item; (item = queue_pop(&self->queue));) {
        item->next = queue_take_all(&self->queue);
        s_run_batch(self->writer, item);
    }
    insist(pthread_setspecific(db->mine, NULL) == 0);
    return NULL;
}

db_status_t sqlite_write(db_t *db, db_work_t work, void *arg)
{
    sqlite_t *self = db->state;
    ticket_t ticket = {
        .work = work, .arg = arg, .request = log_request(), .traced = traced_now()
    };
    insist(sem_init(&ticket.done, 0, 0) == 0);
    insist(queue_push(&self->queue, &ticket.item));
    while (sem_wait(&ticket.done) != 0)
        insist(errno == EINTR);
    sem_destroy(&ticket.done);
    return ticket.status;
}

typedef struct {
    const db_sql_t *sql;
    const db_param_t *params;
    size_t count;
    int64_t *changed;
} one_t;

static db_status_t s_one(db_conn_t *conn, void *memory)
{
    const one_t *one = memory;
    return db_change(conn, one->sql, one->params, one->count, one->changed);
}

db_status_t sqlite_write_one(db_t *db, const db_sql_t *sql, const db_param_t *params, size_t count,
                             int64_t *changed)
{
    return sqlite_write(db, s_one, &(one_t){ sql, params, count, changed });
}

/* ---- the file -------------------------------------------------------------------------------- */

/* A lock file beside the database: closing a descriptor of the database file itself would give up
 * the locks SQLite holds on it. */
static bool s_lock(sqlite_t *self, char *why, size_t why_size)
{
    char holder[32] = "";
    char *path = mem_format("%s.lock", self->path);
    self->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool locked = self->lock >= 0 && flock(self->lock, LOCK_EX | LOCK_NB) == 0;
    if (locked) {
        /* for the sentence below; a disk too full for it is no reason not to start */
        int size = snprintf(holder, sizeof holder, "%d\n", (int)getpid());
        if (ftruncate(self->lock, 0) != 0 || write(self->lock, holder, (size_t)size) != size)
            LOG(LOG_WARN, "db.lock", LOG_TEXT("file", path), LOG_TEXT("message", strerror(errno)));
    } else if (self->lock >= 0 && errno == EWOULDBLOCK) {
        ssize_t size = read(self->lock, holder, sizeof holder - 1);
        holder[size > 0 ? strcspn(holder, "\n") : 0] = '\0';
        snprintf(why, why_size,
                 "%s is in use by process %s: stop it first; several instances need PostgreSQL "
                 "(storage.database)",
                 self->path, holder);
    } else {
        snprintf(why, why_size, "cannot lock %s: %s", path, strerror(errno));
    }
    mem_free(path);
    return locked;
}

/* The file is made before SQLite opens it, readable by its owner alone; SQLite gives the files it
 * puts beside it the same mode. */
static bool s_make(const db_t *db, const char *path, bool create, char *why, size_t why_size)
{
    const char *folder = db->settings.data;
    if (create && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        snprintf(why, why_size, "cannot make the data folder %s: %s", folder, strerror(errno));
        return false;
    }
    int file = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
    if (file >= 0) {
        close(file);
        return true;
    }
    if (errno == ENOENT && !create)
        snprintf(why, why_size, "there is no database %s yet: run signalbox migrate", path);
    else
        snprintf(why, why_size, "cannot open %s: %s", path, strerror(errno));
    return false;
}

/* Readers beside a writer need WAL, which SQLite does not turn on where it cannot share memory. */
static bool s_set_wal(sqlite_conn_t *conn)
{
    static const db_sql_t wal = { "open.wal", "PRAGMA journal_mode = WAL", NULL };
    db_rows_t *rows;
    if (DB_RUN(&conn->base, &wal, &rows) != DB_OK)
        return false;
    bool on = db_next(rows) && strcmp(db_text(rows, "journal_mode"), "wal") == 0;
    db_rows_close(&rows);
    if (!on)
        db_failed(&conn->base, "open.wal", DB_BROKEN, "wal",
                  "write-ahead logging does not work in this folder: use a local file system");
    return on;
}

static void s_free(sqlite_t *self)
{
    if (self->writer)
        db_sqlite.conn_free(&self->writer->base);
    if (self->lock >= 0)
        close(self->lock);
    mem_free(self->path);
    mem_free(self);
}

/* Counting its memory costs SQLite a lock for each piece of it. Refused, and no harm, where
 * somebody else in this process has used SQLite before. */
static void s_set_up(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool sqlite_open(db_t *db, bool create, char *why, size_t why_size)
{
    static pthread_once_t set_up = PTHREAD_ONCE_INIT;
    insist(pthread_once(&set_up, s_set_up) == 0);
    sqlite_t *self = mem_zeroed(sizeof *self);
    self->path = mem_format("%s/%s.db", db->settings.data, db->service);
    self->lock = -1;
    if (!s_make(db, self->path, create, why, why_size) || !s_lock(self, why, why_size)) {
        s_free(self);
        return false;
    }
    self->writer = sqlite_conn(db_sqlite.conn_new(db));
    if (!sqlite_connect(self->writer, self->path, true) || !s_set_wal(self->writer)) {
        snprintf(why, why_size, "cannot open %s: %s", self->path, self->writer->base.message);
        s_free(self);
        return false;
    }
    /* never full: a thread waits for its write, so there are no more tickets than threads */
    queue_init(&self->queue, SIZE_MAX, false);
    db->state = self;
    if (pthread_create(&self->thread, NULL, s_thread, db) != 0)
        die("cannot start a thread for %s", self->path);
    return true;
}

void sqlite_close(db_t *db)
{
    sqlite_t *self = db->state;
    queue_close(&self->queue);
    pthread_join(self->thread, NULL);
    queue_free(&self->queue);
    s_free(self);
}
