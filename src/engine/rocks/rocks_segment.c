/* rocks_segment.c - the table of segment files, and their descriptors for reading.
 *
 * The table is on the loop; it is stored in the default family by the commits that change it, so that it
 * agrees with the locations after any crash.  A file that the table does not know holds nothing that
 * a commit refers to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/scan.h"
#include "engine/rocks/rocks_blob_internal.h"
#include "rt/disk.h"

#define OPEN_MAX     256u /* descriptors kept for reading */
#define VALUE_FORMAT 1

struct rocks_segments {
    struct rocks_segment **items; /* by rising number */
    size_t count, capacity;
    uint32_t highest; /* number ever seen, also of files without an entry */
    uint32_t open;
};

static struct rocks_segment *segment_add(struct rocks_segments *t, uint32_t number);
static enum status segments_read(struct rocks *r, struct rocks_segments *t);
static enum status files_check(struct rocks *r, struct rocks_segments *t, const char *dir);
static void close_idle(struct rocks_segments *t);

enum status
rocks_segments_load(struct rocks *r, struct problem *why)
{
    struct rocks_segments *t = MEM_NEW(struct rocks_segments);
    char dir[ROCKS_PATH_MAX + 16];

    r->segments = t;
    snprintf(dir, sizeof(dir), "%s/bodies", r->path);
    enum status status = segments_read(r, t);
    if (status == OK)
        status = files_check(r, t, dir);
    if (status != OK)
        problem_set(why, 0, "", "The folder of bodies %.120s does not match the cells (%s).", dir,
                    status_name(status));
    return status;
}

void
rocks_segments_free(struct rocks_segments **segments)
{
    struct rocks_segments *t = *segments;

    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++) {
        ASSERT(t->items[i]->users == 0);
        fd_close(&t->items[i]->fd);
        mem_free(t->items[i]);
    }
    mem_free(t->items);
    mem_free(t);
    *segments = NULL;
}

struct rocks_segment *
rocks_segment_find(const struct rocks *r, uint32_t number)
{
    const struct rocks_segments *t = r->segments;
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->items[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->items[low]->number == number ? t->items[low] : NULL;
}

/* A new number is the appender's newest file: those before it are sealed. */
struct rocks_segment *
rocks_segment_get(struct rocks *r, uint32_t number)
{
    struct rocks_segment *s = rocks_segment_find(r, number);

    if (s)
        return s;
    for (size_t i = 0; i < r->segments->count; i++)
        r->segments->items[i]->sealed = true;
    return segment_add(r->segments, number);
}

bool
rocks_segment_next(const struct rocks *r, size_t *cursor, struct rocks_segment **out)
{
    if (*cursor >= r->segments->count)
        return false;
    *out = r->segments->items[(*cursor)++];
    return true;
}

void
rocks_segment_forget(struct rocks *r, struct rocks_segment *s)
{
    struct rocks_segments *t = r->segments;
    size_t i = 0;

    ASSERT(s->users == 0 && s->dead);
    while (t->items[i] != s)
        i++;
    t->count--;
    mem_move(&t->items[i], &t->items[i + 1], (t->count - i) * sizeof(struct rocks_segment *));
    t->open -= s->fd >= 0;
    fd_close(&s->fd);
    mem_free(s);
}

void
rocks_segment_path(const struct rocks *r, uint32_t number, char *out, size_t size)
{
    snprintf(out, size, "%s/bodies/%08x.seg", r->path, number);
}

uint32_t
rocks_segment_first_new(const struct rocks *r)
{
    return r->segments->highest + 1;
}

static void
segment_key(uint32_t number, char out[5])
{
    out[0] = 's';
    be32_put(out + 1, number);
}

void
rocks_segment_write(struct rocks *r, rocksdb_writebatch_t *w, const struct rocks_segment *s)
{
    char key[5];
    struct buf value = BUF(64);

    segment_key(s->number, key);
    buf_add_char(&value, VALUE_FORMAT);
    buf_add_varint(&value, s->used);
    buf_add_varint(&value, s->live);
    if (s->dead)
        rocks_del(r, w, CF_META, str_from(key, sizeof(key)));
    else
        rocks_put(r, w, CF_META, str_from(key, sizeof(key)), buf_str(&value));
    buf_release(&value);
}

struct open_job {
    char path[ROCKS_PATH_MAX + 32];
    int fd;
    enum status status;
};

static void
open_work(void *arg)
{
    struct open_job *job = arg;

    job->status = disk_open(job->path, O_RDONLY, 0, &job->fd);
}

enum status
rocks_segment_use(struct rocks *r, uint32_t number, struct rocks_segment **out)
{
    struct rocks_segment *s = rocks_segment_find(r, number);

    if (!s)
        return ERR_CORRUPT;
    s->users++;
    if (s->fd < 0) {
        struct open_job *job = MEM_NEW(struct open_job);
        rocks_segment_path(r, number, job->path, sizeof(job->path));
        job->fd = -1;
        enum status status = rocks_pool(r, open_work, job);
        if (status == OK && job->status != OK)
            status = job->status == ERR_LIMIT ? ERR_TEMP : ERR_CORRUPT;
        if (status == OK && s->fd < 0) {
            close_idle(r->segments);
            s->fd = job->fd;
            job->fd = -1;
            r->segments->open++;
        }
        fd_close(&job->fd); /* another reader was faster */
        mem_free(job);
        if (status != OK) {
            s->users--;
            return status;
        }
    }
    *out = s;
    return OK;
}

void
rocks_segment_leave(struct rocks *r, struct rocks_segment *s)
{
    (void)r;
    ASSERT(s->users > 0);
    s->users--;
}

static void
close_idle(struct rocks_segments *t)
{
    for (size_t i = 0; i < t->count && t->open >= OPEN_MAX; i++) {
        struct rocks_segment *s = t->items[i];
        if (s->users == 0 && s->fd >= 0) {
            fd_close(&s->fd);
            t->open--;
        }
    }
}

static struct rocks_segment *
segment_add(struct rocks_segments *t, uint32_t number)
{
    ASSERT(t->count == 0 || t->items[t->count - 1]->number < number);
    if (t->count == t->capacity) {
        size_t capacity = MAX(t->capacity * 2, 16u), size = sizeof(struct rocks_segment *);
        t->items = mem_resize(t->items, t->capacity * size, capacity * size);
        t->capacity = capacity;
    }
    struct rocks_segment *s = MEM_NEW(struct rocks_segment);
    s->number = number;
    s->fd = -1;
    t->items[t->count++] = s;
    t->highest = MAX(t->highest, number);
    return s;
}

static enum status
segments_read(struct rocks *r, struct rocks_segments *t)
{
    rocksdb_iterator_t *i = rocksdb_create_iterator_cf(r->db, r->read_full, r->cf[CF_META]);
    enum status status = OK;
    char *error = NULL;

    for (rocksdb_iter_seek(i, "s", 1); rocksdb_iter_valid(i) && status == OK;
         rocksdb_iter_next(i)) {
        struct str key, value;
        uint8_t format;
        key.ptr = rocksdb_iter_key(i, &key.len);
        value.ptr = rocksdb_iter_value(i, &value.len);
        struct scan scan = scan_of(value);
        uint64_t used, live;
        if (key.ptr[0] != 's')
            break;
        if (key.len != 5 || !scan_u8(&scan, &format) || format != VALUE_FORMAT ||
            !scan_varint(&scan, UINT32_MAX, &used) || !scan_varint(&scan, used, &live)) {
            status = ERR_CORRUPT;
            break;
        }
        struct rocks_segment *s = segment_add(t, be32_get(key.ptr + 1));
        s->used = used;
        s->live = live;
        s->sealed = true;
    }
    rocksdb_iter_get_error(i, &error);
    rocksdb_iter_destroy(i);
    return status == OK ? rocks_error(error) : status;
}

/* The size on disk must reach what is used; what lies behind was never referred to. */
static enum status
file_check(struct rocks *r, const struct rocks_segment *s)
{
    char path[ROCKS_PATH_MAX + 32];
    struct stat st;

    rocks_segment_path(r, s->number, path, sizeof(path));
    if (stat(path, &st) != 0 || (uint64_t)st.st_size < s->used)
        return s->live > 0 ? ERR_CORRUPT : OK;
    /* A file that a checkpoint shares may be longer for the other's sake. */
    if (st.st_nlink == 1 && (uint64_t)st.st_size > s->used && truncate(path, (off_t)s->used) != 0)
        return ERR_IO;
    return OK;
}

void
rocks_segments_trim(struct rocks *r)
{
    for (size_t i = 0; r->segments && i < r->segments->count; i++)
        if (!r->segments->items[i]->sealed)
            (void)!file_check(r, r->segments->items[i]); /* else at the next open */
}

static enum status
files_check(struct rocks *r, struct rocks_segments *t, const char *dir)
{
    char path[ROCKS_PATH_MAX + 32];
    DIR *d = opendir(dir);

    if (!d)
        return ERR_IO;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
        struct buf bytes = BUF(4);
        struct str name = str_of(entry->d_name);
        bool is_segment = name.len == 12 && str_ends(name, STR(".seg")) &&
                          hex_decode(str_sub(name, 0, 8), &bytes) == OK;
        uint32_t number = is_segment ? be32_get(bytes.ptr) : 0;
        buf_release(&bytes);
        if (!is_segment)
            continue;
        if (!rocks_segment_find(r, number)) {
            rocks_segment_path(r, number, path, sizeof(path));
            unlink(path);
        }
        t->highest = MAX(t->highest, number);
    }
    closedir(d);
    for (size_t i = 0; i < t->count; i++)
        TRY(file_check(r, t->items[i]));
    return OK;
}
