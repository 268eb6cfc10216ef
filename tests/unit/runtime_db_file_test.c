/* SPDX-License-Identifier: MPL-2.0
 *
 * The file of a SQLite database: one process at a time, and what happens when the disk is full.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/kit/database.h"

static const db_sql_t s_insert = {
    "test.insert",
    "INSERT INTO ledger (thread, number, body) VALUES (1, $number, $body)",
    NULL,
};
static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM ledger", NULL };

/* ---- one process a file ---------------------------------------------------------------------- */

/* Opens in a process of its own and hands back what it was told: "" when it could open. */
static void s_open_elsewhere(place_t *place, char *said, size_t room)
{
    int ends[2];
    insist(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        db_t *db = place_open(place, test_migrations, DB_MIGRATE_APPLY);
        size_t size = strlen(place->why);
        if (write(ends[1], place->why, size) != (ssize_t)size)
            _exit(1);
        db_close(&db);
        _exit(0);
    }
    close(ends[1]);
    ssize_t size = read(ends[0], said, room - 1);
    said[size > 0 ? size : 0] = '\0';
    close(ends[0]);
    waitpid(child, NULL, 0);
}

static void test_second_process(void)
{
    char said[512], expected[64];
    place_t place;
    db_t *db = place_start(&place);
    s_open_elsewhere(&place, said, sizeof said);
    snprintf(expected, sizeof expected, "is in use by process %d: stop it first", (int)getpid());
    if (!ok(strstr(said, expected) != NULL))
        note("it said: %s", said);
    ok(!place_open(&place, test_migrations, DB_MIGRATE_APPLY)); /* nor this one a second time */
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", 1), DB_P_TEXT("body", "x")), DB_OK);
    db_close(&db);
    s_open_elsewhere(&place, said, sizeof said);
    is_text(said, "");
    place_remove(&place);
}

static void test_owner_alone_reads(void)
{
    static const char *const endings[] = { ".db", ".db-wal", ".db-shm", ".db.lock" };
    place_t place;
    db_t *db = place_start(&place);
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        char path[128];
        struct stat status = { 0 };
        snprintf(path, sizeof path, "%s/%s%s", place.folder, place.service, endings[i]);
        ok(stat(path, &status) == 0);
        ok_named((status.st_mode & 0777) == 0600, endings[i]);
    }
    place_end(&place, &db);
}

static void test_folders(void)
{
    char path[128], garbage[4096];
    place_t place;
    place_make(&place);
    const char *folder = place.folder;

    snprintf(path, sizeof path, "%s/made", folder);
    place.settings.data = path;
    db_t *db = place_open(&place, test_migrations, DB_MIGRATE_APPLY);
    ok(db != NULL);
    db_close(&db);
    snprintf(path, sizeof path, "rm -r %s/made", folder);
    is_int(system(path), 0);

    snprintf(path, sizeof path, "%s/no/such/folder", folder);
    ok(!place_open(&place, test_migrations, DB_MIGRATE_APPLY));
    ok(strstr(place.why, "cannot make the data folder"));

    snprintf(path, sizeof path, "%s/%s.db", folder, place.service);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset(garbage, 'x', sizeof garbage);
    ok(write(file, garbage, sizeof garbage) == sizeof garbage);
    close(file);
    place.settings.data = folder;
    ok(!place_open(&place, test_migrations, DB_MIGRATE_APPLY));
    if (!ok(strstr(place.why, "not a database")))
        note("it said: %s", place.why);
    place_remove(&place);
}

/* ---- full ------------------------------------------------------------------------------------ */

enum { BODY_BYTES = 16384, ROWS_MAX = 4096 };

/* Writes rows until one is refused; returns how many were not. */
static int64_t s_fill(db_t *db, int64_t number, db_status_t *status)
{
    static char body[BODY_BYTES];
    int64_t written = 0;
    memset(body, 'x', sizeof body);
    for (; written < ROWS_MAX; written++) {
        *status = DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", number + written),
                               DB_P_SIZED("body", body, sizeof body));
        if (*status != DB_OK)
            break;
    }
    return written;
}

static db_status_t s_limit(db_conn_t *conn, void *memory)
{
    static const db_sql_t few = { "test.few", "PRAGMA max_page_count = 200", NULL };
    static const db_sql_t many = { "test.many", "PRAGMA max_page_count = 1000000", NULL };
    return DB_RUN(conn, *(bool *)memory ? &few : &many, NULL);
}

static void test_full_by_limit(void)
{
    bool few = true;
    db_status_t status = DB_OK;
    place_t place;
    db_t *db = place_start(&place);
    is_int(db_write(db, s_limit, &few), DB_OK);
    int64_t written = s_fill(db, 0, &status);
    is_int(status, DB_FULL);
    ok(written > 0);
    is_int(place_number(db, &s_count), written);
    few = false;
    is_int(db_write(db, s_limit, &few), DB_OK);
    is_int(DB_WRITE_ONE(db, &s_insert, NULL, DB_P_INT("number", -1), DB_P_TEXT("body", "x")),
           DB_OK);
    place_end(&place, &db);
}

/* What the process on the small disk found. */
typedef struct {
    bool mounted;
    int64_t written, seen, seen_again, written_after;
    db_status_t refused, after;
} full_t;

static bool s_set(const char *path, const char *format, unsigned number)
{
    FILE *file = fopen(path, "w");
    return file && fprintf(file, format, number) > 0 && fclose(file) == 0;
}

/* Without being root in a user namespace of its own, where the system allows that. */
static bool s_leave(void)
{
    unsigned user = getuid(), group = getgid();
    if (unshare(CLONE_NEWNS) == 0)
        return true;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           s_set("/proc/self/uid_map", "0 %u 1", user) &&
           s_set("/proc/self/setgroups", "deny", 0) && s_set("/proc/self/gid_map", "0 %u 1", group);
}

static bool s_mount(const char *folder)
{
    if (!s_leave())
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=2m,mode=0700") == 0;
}

static full_t s_on_small_disk(place_t *place)
{
    full_t full = { .mounted = s_mount(place->folder) };
    char path[64];
    if (!full.mounted)
        return full;
    snprintf(path, sizeof path, "%s/ballast", place->folder);
    int ballast = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    insist(posix_fallocate(ballast, 0, 512 * 1024) == 0);
    close(ballast);
    db_t *db = place_open(place, test_migrations, DB_MIGRATE_APPLY);
    insist(db);
    full.written = s_fill(db, 0, &full.refused);
    full.seen = place_number(db, &s_count);
    db_close(&db);
    db = place_open(place, test_migrations, DB_MIGRATE_CHECK);
    full.seen_again = db ? place_number(db, &s_count) : -1;
    unlink(path);
    if (db)
        full.written_after = s_fill(db, full.written, &full.after);
    db_close(&db);
    return full;
}

static void test_full_disk(void)
{
    int ends[2];
    full_t full = { 0 };
    place_t place;
    place_make(&place);
    insist(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        full = s_on_small_disk(&place);
        _exit(write(ends[1], &full, sizeof full) != sizeof full);
    }
    close(ends[1]);
    ok(read(ends[0], &full, sizeof full) == sizeof full);
    close(ends[0]);
    waitpid(child, NULL, 0);
    if (full.mounted) {
        ok(full.written > 0);
        is_int(full.refused, DB_FULL);
        is_int(full.seen, full.written); /* reading goes on */
        is_int(full.seen_again, full.written);
        ok(full.written_after > 0); /* with room again, so does writing */
        is_int(full.after, DB_FULL);
    } else {
        note("no small disk could be mounted here");
    }
    place_remove(&place);
}

DATABASE_TESTS({ "a second process", test_second_process },
               { "its owner alone reads it", test_owner_alone_reads }, { "folders", test_folders },
               { "full by limit", test_full_by_limit }, { "full disk", test_full_disk })
