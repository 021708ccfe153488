/* folder.c - see folder.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/scan.h"
#include "base/size.h"
#include "rt/disk.h"

struct listing {
    struct trace_segment *list;
    size_t count, room;
    struct arena *a;
};

static void
dir_close(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

/* 8 digits "-" 6 digits ".log" */
static bool
name_read(struct str name, struct trace_segment *out)
{
    struct scan s = scan_of(name);

    return name.len == 19 && scan_u32(&s, 99999999, &out->day) && scan_char(&s, '-') &&
           scan_u32(&s, 999999, &out->number) && str_eq(scan_rest(&s), STR(".log"));
}

static uint64_t
size_of_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static void
add(struct listing *l, const struct trace_segment *s)
{
    if (l->count == TRACE_SEGMENTS_MAX)
        return;
    if (l->count == l->room) {
        size_t room = MAX(l->room * 2, (size_t)64);
        struct trace_segment *list = ARENA_ARRAY(l->a, struct trace_segment, room);
        for (size_t i = 0; i < l->count; i++)
            list[i] = l->list[i];
        l->list = list;
        l->room = room;
    }
    l->list[l->count++] = *s;
}

static int
compare(const void *a, const void *b)
{
    const struct trace_segment *x = a, *y = b;

    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

enum status
trace_folder_list(const char *dir, struct arena *a, struct trace_segment **out, size_t *count_out)
{
    AUTO(dir_close) DIR *d = opendir(dir);
    struct listing l = {.a = a};
    const struct dirent *e;
    char path[TRACE_PATH_MAX];

    if (d == NULL)
        return errno == ENOENT ? ERR_NOT_FOUND : errno == EACCES ? ERR_DENIED : ERR_IO;
    while ((e = readdir(d)) != NULL) {
        struct trace_segment s = {0};
        if (!name_read(str_of(e->d_name), &s))
            continue;
        TRY(trace_segment_path(dir, &s, ".log", path));
        s.bytes = size_of_file(path);
        TRY(trace_segment_path(dir, &s, ".idx", path));
        s.index_bytes = size_of_file(path);
        add(&l, &s);
    }
    if (l.count > 1)
        qsort(l.list, l.count, sizeof(l.list[0]), compare);
    *out = l.list;
    *count_out = l.count;
    return OK;
}

enum status
trace_segment_path(const char *dir, const struct trace_segment *s, const char *suffix,
                   char path[TRACE_PATH_MAX])
{
    int n = snprintf(path, TRACE_PATH_MAX, "%s/%08u-%06u%s", dir, s->day, s->number, suffix);

    return n > 0 && (size_t)n < TRACE_PATH_MAX ? OK : ERR_LIMIT;
}

enum status
trace_file_read(const char *path, struct buf *b)
{
    AUTO(fd_close) int fd = -1;
    uint64_t size = size_of_file(path);

    TRY(disk_open(path, O_RDONLY, 0, &fd));
    if (size > b->max)
        return ERR_LIMIT;
    char *to = buf_tail(b, (size_t)size);
    if (size == 0 || to == NULL)
        return buf_status(b);
    TRY(disk_read_at(fd, to, (size_t)size, 0));
    buf_grew(b, (size_t)size);
    return OK;
}
