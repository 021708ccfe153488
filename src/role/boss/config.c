/* config.c - the configuration as boss hands it out, and what becomes of it at a reload.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

/* Roles read the same text that we checked, whatever happens to the file. */
MUST_USE enum status
boss_config_seal(const struct config *c, int *fd_out, struct problem *why)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(fd_close) int fd = -1;
    char reason[100];

    config_write(c, &text);
    TRY(buf_status(&text));
    fd = memfd_create("godwit.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        problem_set(why, 0, "", "cannot hand out the configuration: %s",
                    strerror_r(errno, reason, sizeof(reason)));
        return ERR_IO;
    }
    *fd_out = fd;
    fd = -1;
    return OK;
}

/* ---- a new one ---- */

static void
wait_text(const char *name, struct str *fresh, struct str now, struct buf *waits)
{
    if (str_eq(*fresh, now))
        return;
    buf_addf(waits, "%s%s", waits->len > 0 ? ", " : "", name);
    *fresh = now;
}

static void
wait_number(const char *name, uint64_t *fresh, uint64_t now, struct buf *waits)
{
    if (*fresh == now)
        return;
    buf_addf(waits, "%s%s", waits->len > 0 ? ", " : "", name);
    *fresh = now;
}

static void
wait_count(const char *name, uint32_t *fresh, uint32_t now, struct buf *waits)
{
    uint64_t n = *fresh;

    wait_number(name, &n, now, waits);
    *fresh = now;
}

/* A socket keeps the owner and mode that it was made with. */
static bool
is_made_otherwise(const struct config *fresh, const struct config *now)
{
    for (size_t i = 0; i < fresh->listen_count; i++) {
        const struct config_socket *a = &fresh->listen[i].socket;
        for (size_t k = 0; k < now->listen_count; k++) {
            const struct config_socket *b = &now->listen[k].socket;
            if (a->path.len > 0 && str_eq(a->path, b->path) &&
                (a->mode != b->mode || !str_eq(a->owner, b->owner) || !str_eq(a->group, b->group)))
                return true;
        }
    }
    return false;
}

/* What the processes were started with: folders, users, engine, their number. */
static void
keep_what_waits(struct config *fresh, const struct config *now, struct buf *waits)
{
    wait_text("data", &fresh->data_dir, now->data_dir, waits);
    wait_text("engine", &fresh->engine, now->engine, waits);
    wait_text("run-dir", &fresh->run_dir, now->run_dir, waits);
    wait_text("user", &fresh->user, now->user, waits);
    wait_number("cache", &fresh->cache_bytes, now->cache_bytes, waits);
    wait_count("trace-days", &fresh->trace_days, now->trace_days, waits);
    wait_number("trace-size", &fresh->trace_bytes, now->trace_bytes, waits);
    wait_count("workers mx", &fresh->mx_workers, now->mx_workers, waits);
    wait_count("workers user", &fresh->user_workers, now->user_workers, waits);
    wait_count("workers cook", &fresh->cook_workers, now->cook_workers, waits);
    wait_count("workers out", &fresh->out_workers, now->out_workers, waits);
    if (is_made_otherwise(fresh, now))
        buf_addf(waits, "%smode or owner of a socket", waits->len > 0 ? ", " : "");
}

MUST_USE enum status
boss_config_renew(const char *path, const struct config *now, struct config **out,
                  struct buf *waits, struct problem *why)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(config_free) struct config *read = NULL;

    enum status st = role_config_load(path, &read, why);
    if (st == ERR_IO)
        problem_set(why, 0, "", "%s cannot be read", path);
    TRY(st);
    keep_what_waits(read, now, waits);
    config_write(read, &text); /* what was kept is of another arena: a copy that owns it all */
    TRY(buf_status(&text));
    return config_read(buf_str(&text), path, out, why);
}
