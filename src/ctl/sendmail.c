/* sendmail.c - `godwit sendmail`, and the same program by the names sendmail, mailq and newaliases.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/size.h"
#include "config/config.h"
#include "ctl/command.h"
#include "ctl/sendmail.h"
#include "role/role.h"
#include "rt/disk.h"

enum { OPTIONS_BYTES = 65536, READ_BYTES = 65536, CONFIG_BYTES = 1 << 20 };

/* As the configuration names it, when that may be read: most users may not. */
static void
find_socket(const char *config_path, char *path, size_t size)
{
    AUTO_BUF text = BUF(CONFIG_BYTES);
    AUTO(fd_close) int fd = -1;
    struct config *config = NULL;
    struct problem why = {0};

    snprintf(path, size, "%s", SENDMAIL_SOCKET);
    if (disk_open(config_path, O_RDONLY, 0, &fd) != OK || role_fd_read(fd, &text) != OK ||
        config_read(buf_str(&text), config_path, &config, &why) != OK)
        return;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *l = &config->listen[i];
        if (l->service == SERVICE_SENDMAIL)
            snprintf(path, size, "%.*s", STR_FMT(l->socket.path));
    }
    config_free(&config);
}

/* All of it, so that who writes to us never finds the pipe broken. */
static enum status
read_input(struct buf *b)
{
    for (;;) {
        char *to = buf_tail(b, READ_BYTES);
        if (to == NULL)
            return ERR_LIMIT;
        ssize_t n = read(STDIN_FILENO, to, READ_BYTES);
        if (n == 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return ERR_IO;
        if (n > 0)
            buf_grew(b, (size_t)n);
    }
}

static int
deliver(const char *socket_path, const struct sendmail_options *o)
{
    AUTO_BUF message = BUF((size_t)LIMIT_MESSAGE_BYTES + READ_BYTES);

    switch (read_input(&message)) {
    case OK: return sendmail_deliver(socket_path, o, buf_str(&message));
    case ERR_LIMIT:
        fprintf(stderr, "sendmail: the message is larger than %d bytes\n", LIMIT_MESSAGE_BYTES);
        return EX_DATAERR;
    default: fprintf(stderr, "sendmail: cannot read the message: %m\n"); return EX_IOERR;
    }
}

/* The verbs of the queue, which root and the server's own user may say. */
static int
queue(const char *config_path, const char *verb, const char *which)
{
    AUTO_ARENA *a = arena_new(OPTIONS_BYTES);
    const char *const said[] = {"queue", verb, "-c", config_path, which};
    char *words[COUNT_OF(said) + 1] = {0};
    int n = 0;

    for (size_t i = 0; i < COUNT_OF(said) && said[i] != NULL; i++)
        words[n++] = arena_z(a, str_of(said[i]));
    return queue_command(n, words) == 0 ? EX_OK : EX_UNAVAILABLE;
}

int
sendmail_command(int argc, char **argv)
{
    AUTO_ARENA *a = arena_new(OPTIONS_BYTES);
    char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sendmail_options o;
    struct problem why = {0};

    if (!sendmail_read_options(argc, argv, a, &o, &why)) {
        fprintf(stderr, "sendmail: %s\n", why.text);
        return EX_USAGE;
    }
    const char *config_path = o.config != NULL ? o.config : command_config();
    find_socket(config_path, socket_path, sizeof(socket_path));
    switch (o.mode) {
    case SENDMAIL_DELIVER: return deliver(socket_path, &o);
    case SENDMAIL_SMTP: return sendmail_shuttle(socket_path);
    case SENDMAIL_LIST: return queue(config_path, "list", NULL);
    case SENDMAIL_RUN: return queue(config_path, "retry", "all");
    case SENDMAIL_ALIASES:
        printf("Nothing to do: godwit alias sets aliases, and they hold at once.\n");
        return EX_OK;
    }
    UNREACHABLE();
}
