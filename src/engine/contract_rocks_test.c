/* contract_rocks_test.c - what only the engine with files can be asked: failing disks, damaged files,
 * compaction, checkpoints, versions of the format.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/contract_internal.h"
#include "engine/rocks/rocks_internal.h"
#include "rt/disk.h"

#define PATH_ROOM 512

/* ---- files ---- */
static void
file_path(const struct subject *s, const char *name, char out[PATH_ROOM])
{
    ASSERT(snprintf(out, PATH_ROOM, "%s/%s", s->path, name) < PATH_ROOM);
}

static void
file_write(const char *path, struct str text)
{
    AUTO(fd_close) int fd = -1;
    struct iovec part = {(char *)(uintptr_t)text.ptr, text.len};

    ASSERT(disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd) == OK);
    ASSERT(disk_write_at(fd, &part, 1, 0) == OK);
}

static void
file_copy(const char *from, const char *to)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;

    ASSERT(disk_open(from, O_RDONLY, 0, &fd) == OK && fstat(fd, &st) == 0);
    size_t size = (size_t)st.st_size;
    char *bytes = mem_alloc(size + 1);
    ASSERT(disk_read_at(fd, bytes, size, 0) == OK);
    file_write(to, str_from(bytes, size));
    mem_free(bytes);
}

/* Calls act for every file of a folder whose name ends so; returns how many. */
static size_t
files_each(const char *dir, const char *ending, void (*act)(const char *path, const char *name))
{
    DIR *d = opendir(dir);
    char path[PATH_ROOM];
    size_t n = 0;

    ASSERT(d != NULL);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || !str_ends(str_of(e->d_name), str_of(ending)))
            continue;
        n++;
        ASSERT(snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) < PATH_ROOM);
        if (act)
            act(path, e->d_name);
    }
    closedir(d);
    return n;
}

static size_t
segments_count(const struct subject *s)
{
    char dir[PATH_ROOM];

    file_path(s, "bodies", dir);
    return files_each(dir, ".seg", NULL);
}

static SUSPENDS enum status
open_says(const struct subject *s, struct problem *why)
{
    struct engine_options o = {.kind = "rocks", .path = s->path};
    struct engine *e = NULL;

    *why = (struct problem){0};
    enum status status = engine_open(&o, &e, why);
    engine_close(&e);
    return status;
}

/* ---- failing disks ---- */
/* Lets every one of the first calls to the disk fail in turn, under load and with upkeep. */
void
contract_rocks_faults(struct subject *s)
{
    static const enum disk_fault faults[] = {DISK_FAULT_EIO, DISK_FAULT_ENOSPC, DISK_FAULT_SHORT};
    struct ledger ledgers[WRITERS];

    for (uint64_t nth = 1; nth <= 15; nth += 1 + nth / 5) {
        for (size_t f = 0; f < COUNT_OF(faults); f++) {
            disk_fault_for_tests(nth, faults[f]);
            ledger_run(s, ledgers);
            for (int i = 0; i < 3; i++)
                (void)!engine_upkeep(s->e);
            disk_fault_for_tests(0, DISK_FAULT_NONE);
            /* A sync that fails is fatal whatever the reason; a short write is finished. */
            ASSERT(faults[f] != DISK_FAULT_SHORT || !engine_failed(s->e));
            subject_reopen(s);
            for (size_t i = 0; i < WRITERS; i++)
                ledger_check(s, &ledgers[i]);
            engine_close(&s->e);
            tree_remove(s->path);
            arena_reset(s->a);
            subject_open(s);
        }
    }
}

/* RocksDB's own files meet a limit: the write fails, and nothing is answered any more. */
void
contract_rocks_failed(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v = put_ok(s, CELL(1), STR("k"), STR("kept")), now;
    struct rlimit old, small = {4096, 4096};
    struct str value;
    struct str key = STR("k");

    ASSERT(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &old) == 0);
    small.rlim_max = old.rlim_max;
    ASSERT(setrlimit(RLIMIT_FSIZE, &small) == 0);
    batch_put(b, STR("k"), pattern(s->a, 100000, 1));
    enum status status = engine_commit(s->e, CELL(1), v, b, &now);
    ASSERT(setrlimit(RLIMIT_FSIZE, &old) == 0);
    ASSERT(status == ERR_IO && engine_failed(s->e));
    ASSERT(engine_commit(s->e, CELL(2), CELL_ABSENT, b, &now) == ERR_IO);
    ASSERT(engine_get(s->e, CELL(1), &key, 1, s->a, &value, &now) == ERR_IO);
    ASSERT(engine_upkeep(s->e) == ERR_IO);
    subject_reopen(s);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("k")), STR("kept")));
}

/* The larger of 2 GiB and 2 % must stay free; below half of that only deleting goes on. */
void
contract_rocks_space(struct subject *s)
{
    static const struct {
        uint64_t free_mib, total_mib;
        enum engine_space space;
    } table[] = {
        {2048, 10000, SPACE_PLENTY}, {2047, 10000, SPACE_LOW},
        {1024, 10000, SPACE_LOW},    {1023, 10000, SPACE_CRITICAL},
        {0, 10000, SPACE_CRITICAL},  {20000, 1000000, SPACE_PLENTY},
        {19999, 1000000, SPACE_LOW}, {9999, 1000000, SPACE_CRITICAL},
    };

    for (size_t i = 0; i < COUNT_OF(table); i++)
        ASSERT(rocks_space_of(table[i].free_mib << 20, table[i].total_mib << 20) == table[i].space);
    /* The upkeep looks again, so a test's or yesterday's verdict does not stay. */
    engine_space_for_tests(s->e, SPACE_CRITICAL);
    ASSERT(engine_upkeep(s->e) == OK);
    ASSERT(engine_space(s->e) == SPACE_PLENTY);
    /* No room for the mark: new mail must stop before RocksDB finds none either. */
    size_t told = 0;
    for (uint64_t nth = 1; nth <= 8; nth++) {
        put_ok(s, CELL(1), STR("k"), STR("v"));
        disk_fault_for_tests(nth, DISK_FAULT_ENOSPC);
        enum status status = engine_upkeep(s->e);
        disk_fault_for_tests(0, DISK_FAULT_NONE);
        if (status != OK) { /* a sync, which is fatal whatever the reason */
            subject_reopen(s);
            continue;
        }
        told += engine_space(s->e) == SPACE_CRITICAL;
        ASSERT(engine_upkeep(s->e) == OK && engine_space(s->e) == SPACE_PLENTY);
    }
    ASSERT(told > 0);
}

/* ---- segments ---- */
enum { BODIES = 24, BODY_SIZE = 210000 };

static SUSPENDS void
bodies_write(struct subject *s, struct blob_id ids[BODIES])
{
    for (size_t i = 0; i < BODIES; i++) {
        struct str body = pattern(s->a, BODY_SIZE + i, i);
        ids[i] = i % 4 == 2 ? blob_headed_ok(s, body, 2000, 70000) : blob_ok(s, body, 70000);
        ref_ok(s, CELL(i), ids[i], true);
    }
}

/* Those whose number step divides are there; step 0: none is. */
static SUSPENDS void
bodies_check(struct subject *s, const struct blob_id ids[BODIES], size_t step)
{
    struct str bytes;

    for (size_t i = 0; i < BODIES; i++) {
        enum status status = blob_get(s, ids[i], &bytes);
        ASSERT(status == (step > 0 && i % step == 0 ? OK : ERR_NOT_FOUND));
        ASSERT(status != OK || str_eq(bytes, pattern(s->a, BODY_SIZE + i, i)));
    }
}

static SUSPENDS void
upkeep_many(struct subject *s)
{
    for (int i = 0; i < 12; i++)
        ASSERT(engine_upkeep(s->e) == OK);
}

/* A segment that is mostly garbage is copied and removed; one without life is removed. */
void
contract_rocks_compact(struct subject *s)
{
    struct blob_id ids[BODIES], small;
    struct str bytes;

    bodies_write(s, ids);
    small = blob_ok(s, STR("a small body"), 5);
    ref_ok(s, CELL(1), small, true);
    ASSERT(segments_count(s) == 1);
    subject_reopen(s); /* seals it */
    upkeep_many(s);    /* the small body goes to the next */
    ASSERT(segments_count(s) == 2);
    for (size_t i = 0; i < BODIES; i++)
        if (i % 6)
            ref_ok(s, CELL(i), ids[i], false);
    upkeep_many(s);
    ASSERT(segments_count(s) == 1);
    bodies_check(s, ids, 6);
    subject_reopen(s);
    bodies_check(s, ids, 6);
    ASSERT(blob_get(s, small, &bytes) == OK && str_eq(bytes, STR("a small body")));
    for (size_t i = 0; i < BODIES; i += 6)
        ref_ok(s, CELL(i), ids[i], false);
    ref_ok(s, CELL(1), small, false);
    upkeep_many(s);
    ASSERT(segments_count(s) == 0);
    bodies_check(s, ids, 0);
}

/* A checkpoint is a whole data directory of one moment, and neither harms the other. */
void
contract_rocks_checkpoint(struct subject *s)
{
    struct blob_id ids[BODIES], small, later;
    struct subject copy = *s;
    struct str bytes;

    struct str name = arena_printf(s->a, "%s.copy", s->path);
    ASSERT(str_to_z(name, copy.path, sizeof(copy.path)));
    bodies_write(s, ids);
    small = blob_ok(s, STR("inline"), 5);
    ref_ok(s, CELL(1), small, true);
    ASSERT(engine_checkpoint(s->e, copy.path) == OK);
    ASSERT(engine_checkpoint(s->e, copy.path) == ERR_EXISTS && !engine_failed(s->e));
    later = blob_ok(s, pattern(s->a, BODY_SIZE, 77), BODY_SIZE);
    ref_ok(s, CELL(2), later, true);

    subject_open(&copy);
    bodies_check(&copy, ids, 1);
    ASSERT(blob_get(&copy, small, &bytes) == OK && str_eq(bytes, STR("inline")));
    ASSERT(blob_get(&copy, later, &bytes) == ERR_NOT_FOUND);
    ref_ok(&copy, CELL(1), ids[1], false);
    upkeep_many(&copy);
    engine_close(&copy.e);

    ASSERT(blob_get(s, later, &bytes) == OK && str_eq(bytes, pattern(s->a, BODY_SIZE, 77)));
    subject_reopen(s);
    bodies_check(s, ids, 1);
    ASSERT(blob_get(s, later, &bytes) == OK && str_eq(bytes, pattern(s->a, BODY_SIZE, 77)));
    tree_remove(copy.path);
}

/* ---- damage ---- */
static void
file_cut(const char *path, const char *name)
{
    (void)name;
    ASSERT(truncate(path, 0) == 0);
}

/* RocksDB alone would open without the log's content and say nothing. */
void
contract_rocks_mark(struct subject *s)
{
    struct problem why;
    char path[PATH_ROOM];

    for (int i = 0; i < 20; i++)
        put_ok(s, CELL(1), STR("k"), arena_printf(s->a, "%d", i));
    engine_close(&s->e);
    file_path(s, "cells", path);
    ASSERT(files_each(path, ".log", file_cut) > 0);
    ASSERT(open_says(s, &why) == ERR_CORRUPT);
    ASSERT(str_find_str(str_of(why.text), STR("acknowledged")) >= 0);

    file_path(s, "MARK", path);
    file_write(path, STR("not a mark"));
    ASSERT(open_says(s, &why) == ERR_CORRUPT && why.text[0]);
    ASSERT(unlink(path) == 0);
    ASSERT(open_says(s, &why) == OK); /* nothing left that could tell */
    subject_open(s);
}

static uint64_t flip_at, cut_to; /* places in the write-ahead log */

static void
log_flip(const char *path, const char *name)
{
    AUTO(fd_close) int fd = -1;
    char byte;
    struct iovec part = {&byte, 1};

    (void)name;
    ASSERT(disk_open(path, O_RDWR, 0, &fd) == OK && disk_read_at(fd, &byte, 1, flip_at) == OK);
    byte ^= 1;
    ASSERT(disk_write_at(fd, &part, 1, flip_at) == OK);
}

static void
log_cut(const char *path, const char *name)
{
    (void)name;
    ASSERT(truncate(path, (off_t)cut_to) == 0);
}

/* The log itself tells damage in its middle from a torn end, whatever the mark has not yet heard of. */
void
contract_rocks_log(struct subject *s)
{
    enum { COMMITS = 40, SIZE = 5000 };
    /* The first record, some in the middle, and nearly the last: everything but the last group. */
    static const uint64_t flips[] = {7, 40000, 100000, (COMMITS - 1) * SIZE, 0};
    struct problem why;
    char path[PATH_ROOM], mark[PATH_ROOM];

    file_path(s, "cells", path);
    file_path(s, "MARK", mark);
    for (size_t i = 0; i < COUNT_OF(flips); i++) {
        for (int n = 0; n < COMMITS; n++)
            put_ok(s, CELL(1), STR("k"), pattern(s->a, SIZE, (uint64_t)n));
        engine_close(&s->e);
        ASSERT(unlink(mark) == 0);
        flip_at = flips[i];
        if (flip_at > 0) {
            ASSERT(files_each(path, ".log", log_flip) == 1);
            for (int again = 0; again < 2; again++) {
                ASSERT(open_says(s, &why) == ERR_CORRUPT);
                ASSERT(str_find_str(str_of(why.text), STR("acknowledged")) >= 0);
            }
        } else {
            /* The end of the last group is missing: nobody was told of it. */
            cut_to = (uint64_t)COMMITS * SIZE;
            ASSERT(files_each(path, ".log", log_cut) == 1);
            ASSERT(open_says(s, &why) == OK);
        }
        tree_remove(s->path);
        arena_reset(s->a);
        subject_open(s);
    }
}

static void
file_damage(const char *path, const char *name)
{
    AUTO(fd_close) int fd = -1;
    char byte;
    struct iovec part = {&byte, 1};

    (void)name;
    ASSERT(disk_open(path, O_RDWR, 0, &fd) == OK);
    /* Inside the first body: behind the file's and the record's header. */
    ASSERT(disk_read_at(fd, &byte, 1, 4096 + 96 + 5000) == OK);
    byte ^= 1;
    ASSERT(disk_write_at(fd, &part, 1, 4096 + 96 + 5000) == OK);
}

/* One flipped bit: never wrong bytes, and only the body that it hit is lost. */
void
contract_rocks_damage(struct subject *s)
{
    struct blob_id ids[BODIES];
    char dir[PATH_ROOM];
    struct str bytes;

    bodies_write(s, ids);
    engine_close(&s->e);
    file_path(s, "bodies", dir);
    ASSERT(files_each(dir, ".seg", file_damage) == 1);
    subject_open(s);
    ASSERT(blob_get(s, ids[0], &bytes) == ERR_CORRUPT && !engine_failed(s->e));
    /* A sector that cannot be read is damage too, not the end of the engine. */
    for (uint64_t nth = 1; nth <= 2; nth++) {
        disk_fault_for_tests(nth, DISK_FAULT_EIO);
        ASSERT(blob_get(s, ids[2], &bytes) == ERR_CORRUPT && !engine_failed(s->e));
        disk_fault_for_tests(0, DISK_FAULT_NONE);
    }
    ASSERT(blob_get(s, ids[2], &bytes) == OK);
    /* The second chunk of the same body is sound. */
    ASSERT(engine_blob_read(s->e, ids[0], 131072, 1000, s->a, &bytes) == OK);
    ASSERT(str_eq(bytes, str_sub(pattern(s->a, BODY_SIZE, 0), 131072, 1000)));
    for (size_t i = 1; i < BODIES; i++)
        ASSERT(blob_get(s, ids[i], &bytes) == OK);
    /* Compaction leaves the damaged chunk where it is, to be reported again. */
    for (size_t i = 3; i < BODIES; i++)
        ref_ok(s, CELL(i), ids[i], false);
    upkeep_many(s);
    ASSERT(blob_get(s, ids[0], &bytes) == ERR_CORRUPT);
    ASSERT(blob_get(s, ids[2], &bytes) == OK && !engine_failed(s->e));
}

/* Where a body lies cannot be read any more: it cannot be had, but it can be dropped, and others go on. */
void
contract_rocks_lost_place(struct subject *s)
{
    struct rocks *r = rocks_of(s->e);
    struct blob_id ids[BODIES];
    struct str bytes;
    char *error = NULL;

    bodies_write(s, ids);
    rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
    rocksdb_put_cf(r->db, how, r->cf[CF_LOC], (const char *)ids[3].bytes, sizeof(ids[3].bytes), "?",
                   1, &error);
    rocksdb_writeoptions_destroy(how);
    ASSERT(error == NULL);
    ASSERT(blob_get(s, ids[3], &bytes) == ERR_CORRUPT);
    struct batch *b = batch_new(s->a);
    struct cell_version v = version_ok(s, CELL(3)), now;
    batch_put(b, STR("k"), STR("v"));
    batch_ref_add(b, ids[3]);
    ASSERT(engine_commit(s->e, CELL(3), v, b, &now) == ERR_CORRUPT && !engine_failed(s->e));
    ASSERT(get_ok(s, CELL(3), STR("k")).ptr == NULL);
    ref_ok(s, CELL(3), ids[3], false);
    ref_ok(s, CELL(4), ids[4], false);
    ASSERT(blob_get(s, ids[4], &bytes) == ERR_NOT_FOUND);
    ASSERT(blob_get(s, ids[5], &bytes) == OK && !engine_failed(s->e));
}

/* ---- versions ---- */
void
contract_rocks_format(struct subject *s)
{
    static const struct {
        const char *text;
        enum status says;
        const char *because;
    } table[] = {
        {"godwit data\nversion 1\nengine rocks\ncompatible ff\nincompatible 0\n", OK, ""},
        {"godwit data\nversion 1\nengine rocks\nnote from the future\n", OK, ""},
        {"godwit data\nversion 2\nengine rocks\n", ERR_DENIED, "newer"},
        {"godwit data\nversion 1\nengine rocks\nincompatible 8\n", ERR_DENIED, "newer"},
        {"godwit data\nversion 1\nengine rados\n", ERR_DENIED, "\"rados\""},
        {"godwit data\nversion 0\nengine rocks\n", ERR_CORRUPT, "damaged"},
        {"godwit data\nversion x\nengine rocks\n", ERR_CORRUPT, "damaged"},
        {"godwit data\n", ERR_CORRUPT, "damaged"},
        {"", ERR_CORRUPT, "damaged"},
    };
    struct problem why;
    char path[PATH_ROOM];

    put_ok(s, CELL(1), STR("k"), STR("v"));
    ASSERT(open_says(s, &why) == ERR_EXISTS && why.text[0]); /* it is open here */
    engine_close(&s->e);
    file_path(s, "FORMAT", path);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        file_write(path, str_of(table[i].text));
        ASSERT(open_says(s, &why) == table[i].says);
        ASSERT(str_find_str(str_of(why.text), str_of(table[i].because)) >= 0);
    }
    ASSERT(unlink(path) == 0);
    ASSERT(open_says(s, &why) == ERR_CORRUPT && why.text[0]);
    file_write(path, str_of(table[0].text));
    subject_open(s);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("k")), STR("v")));
}

/* What every later program must find in the sample of format 1. */
void
contract_sample_make(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v;
    char id[16];

    for (size_t i = 0; i < 3; i++) {
        static const size_t sizes[3] = {900, 1000, 20000};
        struct blob_id blob = blob_ok(s, pattern(s->a, sizes[i], i), 5000);
        mem_copy(id, blob.bytes, sizeof(id));
        put_ok(s, CELL(1), arena_printf(s->a, "blob%zu", i), str_from(id, sizeof(id)));
        ref_ok(s, CELL(1), blob, true);
        if (i == 0)
            subject_reopen(s);
        for (int n = 0; n < 3 && i == 0; n++)
            ASSERT(engine_upkeep(s->e) == OK);
    }
    batch_put(b, STR("name"), STR("value"));
    batch_record_put(b, 7, STR("record"));
    ASSERT(engine_commit(s->e, CELL(2), CELL_ABSENT, b, &v) == OK);
    v = put_ok(s, CELL(3), STR("k"), STR("v"));
    ASSERT(engine_drop(s->e, CELL(3), v) == OK);
}

static SUSPENDS void
sample_check(struct subject *s)
{
    uint64_t number = 7;
    struct cell_version v;
    struct str bytes, record;
    struct blob_id id;

    for (size_t i = 0; i < 3; i++) {
        static const size_t sizes[3] = {900, 1000, 20000};
        struct str value = get_ok(s, CELL(1), arena_printf(s->a, "blob%zu", i));
        ASSERT(value.len == sizeof(id.bytes));
        mem_copy(id.bytes, value.ptr, sizeof(id.bytes));
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, pattern(s->a, sizes[i], i)));
    }
    ASSERT(str_eq(get_ok(s, CELL(2), STR("name")), STR("value")));
    ASSERT(engine_records(s->e, CELL(2), &number, 1, s->a, &record) == OK);
    ASSERT(str_eq(record, STR("record")));
    ASSERT(engine_version(s->e, CELL(3), &v) == ERR_NOT_FOUND);
}

static const char *copy_to;

static void
file_take(const char *path, const char *name)
{
    char to[PATH_ROOM];
    struct stat st;

    ASSERT(stat(path, &st) == 0);
    if (S_ISDIR(st.st_mode))
        return;
    ASSERT(snprintf(to, sizeof(to), "%s/%s", copy_to, name) < PATH_ROOM);
    file_copy(path, to);
}

/* Stored data of every format so far opens, reads, and can be written to. */
void
contract_rocks_sample(struct subject *s)
{
    static const char *const dirs[] = {"", "/cells", "/bodies"};
    const char *source = getenv("GODWIT_SOURCE");
    char from[PATH_ROOM], to[PATH_ROOM];

    engine_close(&s->e);
    tree_remove(s->path);
    for (size_t i = 0; i < COUNT_OF(dirs); i++) {
        ASSERT(snprintf(from, sizeof(from), "%s/tests/formats/1%s", source ? source : ".",
                        dirs[i]) < PATH_ROOM);
        ASSERT(snprintf(to, sizeof(to), "%s%s", s->path, dirs[i]) < PATH_ROOM);
        ASSERT(mkdir(to, 0700) == 0);
        copy_to = to;
        files_each(from, "", file_take);
    }
    subject_open(s);
    sample_check(s);
    put_ok(s, CELL(2), STR("new"), STR("value"));
    upkeep_many(s);
    subject_reopen(s);
    sample_check(s);
    upkeep_many(s);
    sample_check(s);
}
