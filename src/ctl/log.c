/* log.c - `godwit log`: the log file, filtered, and followed while it grows or is replaced.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "setup/logview.h"
#include "setup/machine.h"

/* A line of ours is at most LOG_LINE_MAX; what others write is cut there. */
enum {
    CONFIG_BYTES_MAX = 1 << 20,
    READ_BYTES = 65536,
    SHOWN_MAX = 16384,
    PAUSE_MS = 200,
    TEXTS_MAX = 32
};

struct log_view {
    const char *config_path;
    struct logview_filter filter;
    const char *texts[TEXTS_MAX];
    struct buf since, line; /* line: begun, its end not read yet */
    bool follow, json;
};

static bool read_options(struct log_view *v, int argc, char **argv);
static bool find_file(const struct log_view *v, struct buf *path);
static int show(struct log_view *v, const char *path);

static int
usage(FILE *to)
{
    fprintf(to,
            "usage: godwit log [-c FILE] [--follow] [--event NAME] [--user ADDRESS] [--since TIME] "
            "[--level LEVEL]\n"
            "                  [--json] [TEXT...]\n\n"
            "Shows the log of the server: what happened to mail, to log-ins, to connections.\n\n"
            "  --follow, -f         go on with new lines as they come\n"
            "  --event NAME         only this event (smtp.message), or a whole family (smtp, "
            "queue, auth)\n"
            "  --user ADDRESS       only what concerns this sender, recipient or account\n"
            "  --since TIME         30s, 10m, 2h, 3d ago; today; 2026-11-23; \"2026-11-23 22:31\" "
            "(UTC)\n"
            "  --level LEVEL        this one, or a graver one: debug, info, warn, error\n"
            "  --json               one JSON object a line\n"
            "  TEXT                 only lines with all these texts: a queue id, a message id, an "
            "address\n");
    return to == stdout ? CTL_OK : CTL_USAGE;
}

int
log_command(int argc, char **argv)
{
    struct log_view v = {.since = BUF(64), .line = BUF(LOG_LINE_MAX)};
    AUTO_BUF path = BUF(4096);
    int status = CTL_FAILED;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!read_options(&v, argc, argv))
        return usage(stderr);
    if (find_file(&v, &path))
        status = show(&v, path.ptr);
    buf_release(&v.since);
    buf_release(&v.line);
    return status;
}

/* ---- options ---- */

static bool
read_filter(struct log_view *v, const char *name, const char *value)
{
    if (strcmp(name, "--event") == 0) {
        v->filter.event = str_of(value);
        if (logview_event_exists(v->filter.event))
            return true;
        fprintf(stderr,
                "godwit log: read --event \"%s\", expected a name such as smtp.message or auth\n",
                value);
        return false;
    }
    if (strcmp(name, "--level") == 0) {
        v->filter.level = str_of(value);
        if (logview_level_exists(v->filter.level))
            return true;
        fprintf(stderr, "godwit log: read --level \"%s\", expected debug, info, warn or error\n",
                value);
        return false;
    }
    if (strcmp(name, "--user") == 0) {
        v->filter.user = str_of(value);
        return true;
    }
    if (strcmp(name, "--since") != 0)
        return false;
    if (logview_since(str_of(value), clock_now(), &v->since)) {
        v->filter.since = buf_str(&v->since);
        return true;
    }
    fprintf(stderr, "godwit log: read --since \"%s\", expected 10m, 2h, today or 2026-11-23\n",
            value);
    return false;
}

static bool
read_options(struct log_view *v, int argc, char **argv)
{
    v->config_path = command_config();
    v->filter.texts = v->texts;
    for (int i = 1; i < argc; i++) {
        const char *w = argv[i];
        if (strcmp(w, "--follow") == 0 || strcmp(w, "-f") == 0)
            v->follow = true;
        else if (strcmp(w, "--json") == 0)
            v->json = true;
        else if ((strcmp(w, "-c") == 0 || strcmp(w, "--config") == 0) && i + 1 < argc)
            v->config_path = argv[++i];
        else if (w[0] == '-' ? i + 1 == argc || !read_filter(v, w, argv[i + 1])
                             : v->filter.text_count == TEXTS_MAX)
            return false;
        else if (w[0] == '-')
            i++; /* its value */
        else
            v->texts[v->filter.text_count++] = w;
    }
    return true;
}

static bool
find_file(const struct log_view *v, struct buf *path)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(config_free) struct config *config = NULL;
    struct problem why = {0};

    if (machine_read_file(str_of(v->config_path), &text) != OK) {
        fprintf(stderr, "godwit log: %s cannot be read; -c FILE names another\n", v->config_path);
        return false;
    }
    if (config_read(buf_str(&text), v->config_path, &config, &why) != OK) {
        fprintf(stderr, "godwit log: %s\n", why.text);
        return false;
    }
    if (str_eq(config->log_file, STR("stderr"))) {
        fprintf(
            stderr,
            "godwit log: the log goes to standard error; under systemd: journalctl -u godwit\n");
        return false;
    }
    buf_add(path, config->log_file);
    buf_add_char(path, '\0');
    return buf_status(path) == OK;
}

/* ---- one line ---- */

static void
print_json(struct str line)
{
    json_t *all = ctl_json_line(line);

    if (json_object_size(all) > 0) {
        json_dumpf(all, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        printf("\n");
    }
    json_decref(all);
}

static void
print_line(const struct log_view *v, struct str line)
{
    AUTO_BUF shown = BUF(SHOWN_MAX);

    if (line.len == 0 || !logview_wants(&v->filter, line))
        return;
    if (v->json) {
        print_json(line);
        return;
    }
    logview_write(line, &shown);
    printf("%.*s", STR_FMT(buf_str(&shown)));
}

static void
take_bytes(struct log_view *v, struct str bytes)
{
    struct str piece;

    while (str_split(&bytes, '\n', &piece)) {
        size_t room = LOG_LINE_MAX - v->line.len;
        buf_add(&v->line, str_sub(piece, 0, room));
        if (bytes.ptr == NULL)
            return; /* its end has not been written yet */
        print_line(v, buf_str(&v->line));
        buf_reset(&v->line);
    }
}

/* ---- the file ---- */

static bool
read_on(struct log_view *v, int fd)
{
    static char bytes[READ_BYTES];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        take_bytes(v, str_from(bytes, (size_t)n));
    return fflush(stdout) == 0 && !ferror(stdout);
}

/* The file was replaced (logrotate's create), or emptied (its copytruncate): begin at its start. */
static bool
follow_rotation(struct log_view *v, const char *path, int *fd)
{
    struct stat named, open_one;

    if (stat(path, &named) != 0 || fstat(*fd, &open_one) != 0)
        return true; /* gone for a moment: the old one may still grow */
    if (named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino) {
        if (lseek(*fd, 0, SEEK_CUR) > open_one.st_size)
            (void)lseek(*fd, 0, SEEK_SET);
        return true;
    }
    int fresh = open(path, O_RDONLY | O_CLOEXEC);
    if (fresh < 0)
        return true;
    bool well = read_on(v, *fd); /* what was written until then */
    fd_close(fd);
    *fd = fresh;
    return well;
}

static int
show(struct log_view *v, const char *path)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        fprintf(stderr, "godwit log: %s %s\n", path,
                errno == ENOENT ? "is not there yet: has the server been started?"
                                : "cannot be read: are you root?");
        return CTL_FAILED;
    }
    bool well = read_on(v, fd);
    while (well && v->follow) {
        (void)poll(NULL, 0, PAUSE_MS);
        well = read_on(v, fd) && follow_rotation(v, path, &fd);
    }
    if (v->line.len > 0)
        print_line(v, buf_str(&v->line));
    return CTL_OK;
}
