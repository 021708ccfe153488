/* writer.c - see writer.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/writer.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/disk.h"
#include "trace/folder.h"
#include "trace/index.h"

enum { DAY_S = 86400, LIST_BYTES = 16 << 20, FILE_MODE = 0600, FOLDER_MODE = 0700 };

struct trace_writer {
    char dir[TRACE_PATH_MAX];
    struct trace_limits limits;
    struct trace_segment open;
    int fd;        /* of the open segment, or -1 */
    uint32_t tidy; /* day of the last look at the folder */
};

static enum status begin_segment(struct trace_writer *w, const struct trace_segment *s);
static enum status close_segment(struct trace_writer *w);
static enum status write_index(const char *dir, const struct trace_segment *s);
static enum status tidy(struct trace_writer *w, struct instant now);

static uint32_t
day_of(int64_t seconds)
{
    struct civil c = civil_from_unix(seconds);

    return (uint32_t)(c.year * 10000 + c.month * 100 + c.day);
}

/* The last one goes on, when it has no index yet; what a crash left without one gets it. */
static enum status
go_on(struct trace_writer *w)
{
    AUTO_ARENA *a = arena_new(LIST_BYTES);
    struct trace_segment *list;
    size_t n;

    TRY(trace_folder_list(w->dir, a, &list, &n));
    for (size_t i = 0; i < n; i++) {
        if (list[i].index_bytes > 0 || list[i].bytes == 0)
            continue;
        if (i + 1 < n)
            TRY(write_index(w->dir, &list[i]));
        else
            return begin_segment(w, &list[i]);
    }
    if (n > 0)
        w->open = list[n - 1]; /* the next number is behind it */
    return OK;
}

enum status
trace_writer_open(const char *dir, const struct trace_limits *l, struct instant now,
                  struct trace_writer **out)
{
    AUTO(trace_writer_free) struct trace_writer *w = MEM_NEW(struct trace_writer);

    w->fd = -1;
    w->limits = *l;
    if (!str_to_z(str_of(dir), w->dir, sizeof(w->dir)))
        return ERR_LIMIT;
    if (mkdir(dir, FOLDER_MODE) != 0 && errno != EEXIST)
        return errno == ENOSPC ? ERR_NO_SPACE : ERR_IO;
    TRY(go_on(w));
    TRY(tidy(w, now));
    *out = w;
    w = NULL;
    return OK;
}

void
trace_writer_free(struct trace_writer **w)
{
    if (*w == NULL)
        return;
    fd_close(&(*w)->fd);
    mem_free(*w);
    *w = NULL;
}

/* ---- segments ---- */

/* Opens it, new or left by another life; a line without its end gets one. */
static enum status
begin_segment(struct trace_writer *w, const struct trace_segment *s)
{
    char path[TRACE_PATH_MAX], last = '\n', end = '\n';
    struct iovec lf = {&end, 1};

    TRY(trace_segment_path(w->dir, s, ".log", path));
    TRY(disk_open(path, O_RDWR | O_CREAT, FILE_MODE, &w->fd));
    w->open = *s;
    if (s->bytes == 0)
        return OK;
    TRY(disk_read_at(w->fd, &last, 1, s->bytes - 1));
    if (last == '\n')
        return OK;
    TRY(disk_write_at(w->fd, &lf, 1, w->open.bytes));
    w->open.bytes++;
    return OK;
}

static enum status
close_segment(struct trace_writer *w)
{
    if (w->fd < 0)
        return OK;
    fd_close(&w->fd);
    return write_index(w->dir, &w->open);
}

static enum status
write_file(const char *path, struct str bytes)
{
    AUTO(fd_close) int fd = -1;
    struct iovec part = {(char *)(uintptr_t)bytes.ptr, bytes.len}; /* iovec knows no const */

    TRY(disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE, &fd));
    return bytes.len == 0 ? OK : disk_write_at(fd, &part, 1, 0);
}

static enum status
write_index(const char *dir, const struct trace_segment *s)
{
    AUTO_BUF text = BUF(UINT32_MAX);
    AUTO_BUF index = BUF(TRACE_INDEX_MAX);
    char path[TRACE_PATH_MAX], made[TRACE_PATH_MAX];

    TRY(trace_segment_path(dir, s, ".log", path));
    TRY(trace_file_read(path, &text));
    trace_index_write(buf_str(&text), &index);
    TRY(buf_status(&index));
    TRY(trace_segment_path(dir, s, ".idx", path));
    TRY(trace_segment_path(dir, s, ".new", made));
    TRY(write_file(made, buf_str(&index)));
    return disk_rename(made, path);
}

/* A clock that goes back stays in the day that was reached. */
static enum status
have_segment(struct trace_writer *w, struct instant now)
{
    uint32_t today = MAX(day_of(now.us / 1000000), w->open.day);
    bool full = w->open.bytes >= w->limits.segment_bytes;

    if (w->fd >= 0 && w->open.day == today && !full)
        return OK;
    TRY(close_segment(w));
    TRY(tidy(w, now));
    bool same_day = w->open.day == today && w->open.number < 999999;
    struct trace_segment next = {.day = today, .number = same_day ? w->open.number + 1 : 1};
    return begin_segment(w, &next);
}

enum status
trace_writer_add(struct trace_writer *w, struct str lines, struct instant now)
{
    struct iovec part = {(char *)(uintptr_t)lines.ptr, lines.len}; /* iovec knows no const */

    if (lines.len == 0)
        return day_of(now.us / 1000000) != w->tidy ? tidy(w, now) : OK;
    TRY(have_segment(w, now));
    TRY(disk_write_at(w->fd, &part, 1, w->open.bytes));
    w->open.bytes += lines.len;
    return OK;
}

/* ---- what goes ---- */

static enum status
remove_index(const struct trace_writer *w, const struct trace_segment *s)
{
    char path[TRACE_PATH_MAX];

    TRY(trace_segment_path(w->dir, s, ".idx", path));
    enum status st = disk_unlink(path);
    return st == ERR_NOT_FOUND ? OK : st;
}

static enum status
remove_segment(const struct trace_writer *w, const struct trace_segment *s)
{
    char path[TRACE_PATH_MAX];

    TRY(remove_index(w, s));
    TRY(trace_segment_path(w->dir, s, ".log", path));
    return disk_unlink(path);
}

static enum status
tidy(struct trace_writer *w, struct instant now)
{
    AUTO_ARENA *a = arena_new(LIST_BYTES);
    uint32_t oldest = day_of(now.us / 1000000 - (int64_t)w->limits.days * DAY_S);
    struct trace_segment *list;
    uint64_t all = 0;
    size_t n;

    w->tidy = day_of(now.us / 1000000);
    TRY(trace_folder_list(w->dir, a, &list, &n));
    for (size_t i = 0; i < n; i++)
        all += list[i].bytes + list[i].index_bytes;
    for (size_t i = 0; i < n; i++) {
        bool open = w->fd >= 0 && list[i].day == w->open.day && list[i].number == w->open.number;
        if (open || (list[i].day >= oldest && all <= w->limits.bytes_max))
            continue;
        TRY(remove_segment(w, &list[i]));
        all -= list[i].bytes + list[i].index_bytes;
    }
    return OK;
}

static uint64_t
copy_without(struct str text, uint64_t key, struct buf *out)
{
    uint64_t keys[TRACE_KEYS_MAX], removed = 0;
    struct str line;

    while (str_split(&text, '\n', &line)) {
        struct str with_end = str_from(line.ptr, line.len + (text.ptr != NULL ? 1 : 0));
        size_t n = trace_keys(line, keys);
        bool named = false;
        for (size_t i = 0; i < n; i++)
            named = named || keys[i] == key;
        if (named)
            removed++;
        else
            buf_add(out, with_end);
    }
    return removed;
}

/* The index first goes, then the text is replaced: at no time does an index lead into another text. */
static enum status
purge_segment(struct trace_writer *w, const struct trace_segment *s, uint64_t key,
              uint64_t *removed)
{
    AUTO_BUF text = BUF(UINT32_MAX);
    AUTO_BUF kept = BUF(UINT32_MAX);
    char path[TRACE_PATH_MAX], made[TRACE_PATH_MAX];

    TRY(trace_segment_path(w->dir, s, ".log", path));
    TRY(trace_file_read(path, &text));
    uint64_t n = copy_without(buf_str(&text), key, &kept);
    if (n == 0)
        return OK;
    *removed += n;
    if (kept.len == 0)
        return remove_segment(w, s);
    TRY(remove_index(w, s));
    TRY(trace_segment_path(w->dir, s, ".new", made));
    TRY(write_file(made, buf_str(&kept)));
    TRY(disk_rename(made, path));
    return write_index(w->dir, s);
}

enum status
trace_writer_purge(struct trace_writer *w, struct str address, struct instant now,
                   uint64_t *removed_out)
{
    AUTO_ARENA *a = arena_new(LIST_BYTES);
    uint64_t key = trace_hash(TRACE_ADDRESS, address), removed = 0;
    struct trace_segment *list;
    size_t n;

    (void)now;
    TRY(close_segment(w));
    TRY(trace_folder_list(w->dir, a, &list, &n));
    for (size_t i = 0; i < n; i++)
        TRY(purge_segment(w, &list[i], key, &removed));
    *removed_out = removed;
    return OK;
}
