/* handover.c - see handover.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/boss/handover.h"

#include <string.h>

#include "base/scan.h"
#include "base/size.h"

#define FIRST_LINE "godwit handover 1"

enum { LINES_MAX = 4 * ROLE_LISTENERS_MAX };

static const char *const names[] = {"upgrade", "rollback", "fallback"};

static void write_text(const char *name, struct str text, struct buf *out);
static bool read_line(struct str line, struct handover *h);
static bool read_listener(struct str line, bool is_unix, struct handover *h);
static bool read_unix(struct scan *s, struct config_listen *l, struct handover *h);

const char *
change_name(enum change c)
{
    ASSERT((size_t)c < COUNT_OF(names));
    return names[c];
}

/* ---- writing ---- */

void
handover_write(const struct handover *h, struct buf *out)
{
    const struct boss_listening *l = &h->listening;

    buf_addf(out, FIRST_LINE "\nkind %s\nnumber %u\n", change_name(h->kind), h->number);
    write_text("program", h->program, out);
    write_text("from", h->from, out);
    write_text("said", h->said, out);
    if (h->previous_fd >= 0)
        buf_addf(out, "previous %d\n", h->previous_fd);
    if (h->admin_fd >= 0)
        buf_addf(out, "admin %d %.*s\n", h->admin_fd, STR_FMT(h->admin_path));
    for (size_t i = 0; i < l->count; i++) {
        const struct config_listen *of = l->of[i];
        if (of->socket.path.len == 0)
            buf_addf(out, "listen %d %s %u %.*s\n", l->at[i].fd, service_name(of->service),
                     of->at.port, STR_FMT(of->at.host));
        for (size_t k = 0; of->socket.path.len > 0 && k < l->socket_count; k++)
            if (str_eq(l->sockets[k].path, of->socket.path))
                buf_addf(out, "socket %d %s %llu %llu %.*s\n", l->at[i].fd,
                         service_name(of->service), (unsigned long long)l->sockets[k].dev,
                         (unsigned long long)l->sockets[k].ino, STR_FMT(of->socket.path));
    }
}

/* One line, whatever it holds. */
static void
write_text(const char *name, struct str text, struct buf *out)
{
    text = str_sub(text, 0, MIN(text.len, (size_t)HANDOVER_SAID_MAX));
    if (text.len == 0)
        return;
    buf_addf(out, "%s ", name);
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(out, text.ptr[i] == '\n' ? ' ' : text.ptr[i]);
    buf_add_char(out, '\n');
}

/* ---- reading ---- */

MUST_USE enum status
handover_read(struct str text, struct handover *out)
{
    struct str line;

    memset(out, 0, sizeof(*out));
    out->previous_fd = out->admin_fd = -1;
    if (text.len > HANDOVER_BYTES_MAX)
        return ERR_LIMIT;
    if (str_find(text, '\0') >= 0 || !str_split(&text, '\n', &line) ||
        !str_eq(line, STR(FIRST_LINE)))
        return ERR_SYNTAX;
    for (size_t n = 0; str_split(&text, '\n', &line); n++) {
        if (text.ptr == NULL) /* or it was cut off */
            return line.len == 0 ? OK : ERR_SYNTAX;
        if (n == LINES_MAX)
            return ERR_LIMIT;
        if (!read_line(line, out))
            return ERR_SYNTAX;
    }
    return ERR_SYNTAX;
}

static bool
read_kind(struct str word, enum change *out)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!str_eq(word, str_of(names[i])))
            continue;
        *out = (enum change)i; /* in range: names has one for each */
        return true;
    }
    return false;
}

static bool
read_fd(struct scan *s, int *out)
{
    uint32_t fd;

    if (!scan_u32(s, HANDOVER_FD_MAX, &fd) || fd < 3)
        return false;
    *out = (int)fd; /* small */
    return true;
}

static bool
read_admin(struct scan *s, struct handover *h)
{
    int fd;

    if (!read_fd(s, &fd) || !scan_char(s, ' ') || scan_at_end(s))
        return false;
    h->admin_fd = fd;
    h->admin_path = scan_rest(s);
    return true;
}

static bool
read_line(struct str line, struct handover *h)
{
    struct str word;

    if (!str_split(&line, ' ', &word))
        return false;
    struct scan s = scan_of(line);
    if (str_eq(word, STR("kind")))
        return read_kind(line, &h->kind);
    if (str_eq(word, STR("number")))
        return scan_u32(&s, UINT32_MAX, &h->number) && scan_at_end(&s);
    if (str_eq(word, STR("previous")))
        return read_fd(&s, &h->previous_fd) && scan_at_end(&s);
    if (str_eq(word, STR("admin")))
        return read_admin(&s, h);
    if (str_eq(word, STR("listen")) || str_eq(word, STR("socket")))
        return read_listener(line, str_eq(word, STR("socket")), h);
    if (str_eq(word, STR("program")))
        h->program = line;
    if (str_eq(word, STR("from")))
        h->from = line;
    if (str_eq(word, STR("said")))
        h->said = line;
    return true; /* of a newer program */
}

static bool
read_service(struct str word, enum service *out)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (!str_eq(word, str_of(service_name((enum service)i))))
            continue;
        *out = (enum service)i;
        return true;
    }
    return false;
}

static bool
read_listener(struct str line, bool is_unix, struct handover *h)
{
    struct boss_listening *to = &h->listening;
    struct scan s = scan_of(line);
    struct config_listen l = {0};
    struct str word;
    uint32_t port;
    int fd;

    if (to->count == COUNT_OF(to->at) || h->stray_count == COUNT_OF(h->strays) ||
        !read_fd(&s, &fd) || !scan_char(&s, ' ') || !scan_until(&s, ' ', &word) ||
        !scan_char(&s, ' '))
        return false;
    if (!read_service(word, &l.service)) {
        h->strays[h->stray_count++] = fd;
        return true;
    }
    if (is_unix) {
        if (!read_unix(&s, &l, h))
            return false;
    } else {
        if (!scan_u32(&s, UINT16_MAX, &port) || !scan_char(&s, ' ') || scan_at_end(&s))
            return false;
        l.at = (struct config_address){.host = scan_rest(&s), .port = (uint16_t)port};
    }
    h->lines[to->count] = l;
    to->of[to->count] = &h->lines[to->count];
    to->at[to->count++] =
        (struct role_listener){.fd = fd, .service = l.service, .number = ++to->last_number};
    return true;
}

static bool
read_unix(struct scan *s, struct config_listen *l, struct handover *h)
{
    struct boss_listening *to = &h->listening;
    uint64_t dev, ino;

    if (!scan_u64(s, UINT64_MAX, &dev) || !scan_char(s, ' ') || !scan_u64(s, UINT64_MAX, &ino) ||
        !scan_char(s, ' ') || scan_at_end(s) || to->socket_count == COUNT_OF(to->sockets))
        return false;
    l->socket.path = scan_rest(s);
    for (size_t i = 0; i < to->socket_count; i++)
        if (str_eq(to->sockets[i].path, l->socket.path))
            return false; /* one path has one socket */
    to->sockets[to->socket_count++] =
        (struct boss_socket){.path = l->socket.path, .dev = (dev_t)dev, .ino = (ino_t)ino};
    return true;
}
