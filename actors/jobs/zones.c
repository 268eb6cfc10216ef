/* SPDX-License-Identifier: MPL-2.0
 *
 * zones - the time zones of the system by their IANA names, each read once
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "actors/base/buf.h"
#include "actors/base/text.h"
#include "actors/jobs/zones.h"

/* One reading of a file; a newer one stands before the older ones. */
typedef struct reading reading_t;

struct reading {
    reading_t *older;
    zone_t *zone;
    struct timespec changed; /* when the file was, and which it was */
    ino_t inode;
};

typedef struct {
    char name[ZONES_NAME_BYTES + 1];
    reading_t *newest;
    UT_hash_handle hh;
} entry_t;

struct zones {
    const char *folder;
    pthread_mutex_t mutex;
    entry_t *entries; /* one a file that could be read, so not more than there are files */
};

zones_t *zones_new(const char *folder)
{
    zones_t *self = mem_zeroed(sizeof *self);
    self->folder = folder;
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
    return self;
}

void zones_destroy(zones_t **self_p)
{
    zones_t *self = *self_p;
    entry_t *entry, *next;
    if (!self)
        return;
    HASH_ITER(hh, self->entries, entry, next)
    {
        for (reading_t *reading = entry->newest; reading;) {
            reading_t *older = reading->older;
            zone_destroy(&reading->zone);
            mem_free(reading);
            reading = older;
        }
        HASH_DEL(self->entries, entry);
        mem_free(entry);
    }
    pthread_mutex_destroy(&self->mutex);
    mem_free(self);
    *self_p = NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Files in the folder that are no zones of the world: the host's own choice, and the whole tree
 * again, once without and once with leap seconds. */
static const char *const s_not_names[] = { "localtime", "posixrules", "posix/", "right/" };

static bool s_is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+';
}

/* Words of letters, digits, '_', '-' and '+' between single slashes: no dot, so nothing that leads
 * out of the folder. */
static bool s_is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > ZONES_NAME_BYTES || name[0] == '/' || name[size - 1] == '/')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!s_is_letter(name[i]) && (name[i] != '/' || name[i - 1] == '/'))
            return false;
    for (size_t i = 0; i < COUNT_OF(s_not_names); i++)
        if (text_starts(name, s_not_names[i]))
            return false;
    return true;
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool s_read_bytes(int fd, buf_t *bytes)
{
    ssize_t got;
    do {
        got = read(fd, buf_reserve(bytes, 4096), 4096);
        if (got > 0)
            bytes->size += (size_t)got;
    } while ((got > 0 && bytes->size <= ZONE_FILE_BYTES) || (got < 0 && errno == EINTR));
    return got >= 0;
}

static reading_t *s_read(int fd, const struct stat *file, const char *name,
                         char why[ZONES_WHY_SIZE])
{
    buf_t bytes = { 0 };
    char reason[ZONE_WHY_SIZE];
    reading_t *self = NULL;
    if (!s_read_bytes(fd, &bytes)) {
        snprintf(why, ZONES_WHY_SIZE, "The time zone '%s' cannot be read: %s", name,
                 strerror(errno));
    } else {
        zone_t *zone = zone_parse(bytes.bytes, bytes.size, reason);
        if (zone) {
            self = mem_zeroed(sizeof *self);
            *self = (reading_t){ .zone = zone, .changed = file->st_mtim, .inode = file->st_ino };
        } else {
            snprintf(why, ZONES_WHY_SIZE, "The time zone '%s' cannot be used: %s", name, reason);
        }
    }
    buf_free(&bytes);
    return self;
}

static bool s_is_current(const reading_t *self, const struct stat *file)
{
    return self->inode == file->st_ino && self->changed.tv_sec == file->st_mtim.tv_sec &&
           self->changed.tv_nsec == file->st_mtim.tv_nsec;
}

static const zone_t *s_get(zones_t *self, const char *name, int fd, const struct stat *file,
                           char why[ZONES_WHY_SIZE])
{
    entry_t *entry;
    HASH_FIND_STR(self->entries, name, entry);
    if (entry && s_is_current(entry->newest, file))
        return entry->newest->zone;
    reading_t *reading = s_read(fd, file, name, why);
    if (!reading)
        return NULL;
    if (!entry) {
        entry = mem_zeroed(sizeof *entry);
        text_copy(entry->name, sizeof entry->name, name, strlen(name));
        HASH_ADD_STR(self->entries, name, entry);
    }
    reading->older = entry->newest;
    entry->newest = reading;
    return reading->zone;
}

/* A regular file in the folder, opened; -1 when the name leads to none. Devices and pipes are not
 * waited for. */
static int s_open(const zones_t *self, const char *name, struct stat *file)
{
    char path[4096];
    if (!s_is_name(name) ||
        (size_t)snprintf(path, sizeof path, "%s/%s", self->folder, name) >= sizeof path)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, file) < 0 || !S_ISREG(file->st_mode))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

const zone_t *zones_get(zones_t *self, const char *name, char why[ZONES_WHY_SIZE])
{
    struct stat file;
    int fd = s_open(self, name, &file);
    why[0] = '\0';
    if (fd < 0) {
        const char *quote = s_is_name(name) ? "'" : ""; /* what is no name is not repeated */
        snprintf(why, ZONES_WHY_SIZE,
                 "%s%s%s is no time zone of this system: write an IANA name such as "
                 "Europe/Berlin, America/New_York or UTC",
                 quote, s_is_name(name) ? name : "That", quote);
        return NULL;
    }
    pthread_mutex_lock(&self->mutex);
    const zone_t *zone = s_get(self, name, fd, &file, why);
    pthread_mutex_unlock(&self->mutex);
    close(fd);
    return zone;
}
