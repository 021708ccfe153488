/* role_handed.c - what boss hands to a role: configuration, listeners, files; and all of it anew.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "role/role_internal.h"
#include "rt/disk.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

int
role_handed_take(struct control_packet *p, size_t i)
{
    int fd = i < p->fd_count ? p->fds[i] : -1;

    if (fd >= 0)
        p->fds[i] = -1;
    return fd;
}

MUST_USE enum status
role_handed_config(struct role_handed *h, struct control_packet *p, size_t i, struct problem *why)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(fd_close) int fd = role_handed_take(p, i);

    TRY(role_fd_read(fd, &text));
    return config_read(buf_str(&text), "configuration", &h->config, why);
}

void
role_handed_listener(struct role_handed *h, const struct control *c, struct control_packet *p)
{
    if (h->listener_count == COUNT_OF(h->listeners) || c->value >= SERVICE_COUNT ||
        p->fd_count != 1)
        return;
    h->listeners[h->listener_count++] = (struct role_listener){
        .fd = role_handed_take(p, 0),
        .service = (enum service)c->value, /* in range: checked above */
        .number = c->value2,
        .line = c->index,
    };
}

void
role_handed_file(struct role_handed *h, const struct control *c, struct control_packet *p)
{
    size_t i = 0;

    while (i < h->file_count && !str_eq(h->files[i].path, c->text))
        i++;
    if (i == COUNT_OF(h->files))
        return;
    if (i == h->file_count) {
        h->file_count++;
        h->files[i] = (struct role_file){.path = mem_str(c->text), .fd = -1};
    }
    fd_close(&h->files[i].fd);
    h->files[i].fd = role_handed_take(p, 0);
}

static void
keep_descriptor(const struct role_handed *now, struct role_listener *l)
{
    for (size_t i = 0; i < now->listener_count; i++) {
        if (now->listeners[i].number != l->number)
            continue;
        fd_close(&l->fd);
        l->fd = now->listeners[i].fd;
    }
}

void
role_handed_renew(struct role_handed *now, struct role_handed *fresh)
{
    for (size_t i = 0; i < fresh->listener_count; i++)
        keep_descriptor(now, &fresh->listeners[i]);
    for (size_t i = 0; i < now->file_count; i++) {
        fd_close(&now->files[i].fd);
        mem_str_free(&now->files[i].path);
    }
    *now = *fresh;
    *fresh = (struct role_handed){0};
}
