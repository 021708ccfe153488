/* mbox_fuzz.c - From_ lines, headers and whole files: bounded, and what is written is read as it was.
 *
 * The first byte chooses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/map.h"
#include "base/size.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_from(struct str in)
{
    AUTO_BUF b = BUF(2000);
    struct instant t, again = {0};

    if (!mbox_from_read(in, &t))
        return;
    ASSERT(str_starts(in, MBOX_FROM));
    mbox_from_write(in, t, &b);
    bool is = mbox_from_read(str_sub(buf_str(&b), 0, b.len - 1), &again);
    /* a zone may lead out of the years that can be written */
    ASSERT(is && (again.us == t.us || t.us < INT64_C(-62135596800000000) ||
                  t.us >= INT64_C(253402300800000000)));
}

static void
check_text(struct str in)
{
    AUTO_BUF out = BUF(2 * in.len + 1);
    const struct mbox_text t = {in, (enum migrate_quoting)(in.len % 3)};

    ASSERT(mbox_text_read(&t, &out) == OK);
}

/* A file, which has the name "/proc/self/fd/N". */
static int
file_of(struct str text)
{
    const struct iovec part = {(void *)(uintptr_t)text.ptr, text.len}; /* is only read */
    int fd = memfd_create("mbox", MFD_CLOEXEC);

    ASSERT(fd >= 0);
    if (text.len > 0) {
        enum status s = disk_write_at(fd, &part, 1, 0);
        ASSERT(s == OK);
    }
    return fd;
}

/* Messages lie behind each other, no two have one key, and each is there. */
static void
check_file(struct str in)
{
    AUTO_ARENA *a = arena_new((size_t)64 << 20);
    char path[MIGRATE_PATH_BYTES];
    AUTO(fd_close) int fd = file_of(in);
    struct migrate_folder f = {.path = path, .quoting = (enum migrate_quoting)(in.len % 3)};
    struct map *keys = map_new();

    migrate_path(path, "/proc/self/fd/%d", fd);
    if (mbox_folder_read(&f, STR("%08Xu%08Xv"), a) != OK)
        f.count = 0;
    ASSERT(f.uidvalidity <= LIMIT_IMPORT_NUMBER && f.uidnext <= LIMIT_IMPORT_NUMBER);
    for (size_t i = 0; i < f.count; i++) {
        const struct migrate_message *m = &f.messages[i];
        AUTO_BUF body = BUF(2 * in.len + 1);
        struct instant t;
        ASSERT(m->offset <= in.len && m->size <= in.len - m->offset);
        ASSERT(m->uid < f.uidnext || m->uid == 0);
        ASSERT(m->key.len > 0 && m->key.len <= LIMIT_IMPORT_KEY_BYTES);
        void *other = map_put(keys, m->key, keys);
        ASSERT(other == NULL);
        enum status s = mbox_body_read(&f, m, &body, &t);
        ASSERT(s == OK);
    }
    map_free(&keys);
}

static void
check_round(struct str in)
{
    AUTO_ARENA *a = arena_new((size_t)64 << 20);
    AUTO_BUF body = BUF(2 * in.len + 1);
    AUTO_BUF text = BUF(6 * in.len + 1000);
    AUTO_BUF again = BUF(2 * in.len + 1);
    char path[MIGRATE_PATH_BYTES];
    struct instant t;

    enum status s = migrate_crlf(in, &body);
    ASSERT(s == OK);
    for (int i = 0; i < 2; i++) {
        mbox_from_write(in, (struct instant){0}, &text);
        mbox_text_write(STR("X-UID: 1\nX-Status: F\n"), 2, buf_str(&body), &text);
        buf_add_char(&text, '\n');
    }
    AUTO(fd_close) int fd = file_of(buf_str(&text));
    migrate_path(path, "/proc/self/fd/%d", fd);
    struct migrate_folder f = {.path = path};
    s = mbox_folder_read(&f, STR_NONE, a);
    ASSERT(s == OK && f.count == 2);
    for (int i = 0; i < 2; i++) {
        buf_reset(&again);
        s = mbox_body_read(&f, &f.messages[i], &again, &t);
        ASSERT(s == OK && str_eq(buf_str(&again), buf_str(&body)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str in = {(const char *)data + 1, size - 1};
    switch (data[0] % 4) {
    case 0: check_from(in); break;
    case 1: check_text(in); break;
    case 2: check_file(in); break;
    default: check_round(in); break;
    }
    return 0;
}
