/* conf.c - see conf.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/conf.h"

#include "base/size.h"

enum { TEXT_MAX = 512 * 1024 };

static const uint16_t usual_ports[SERVICE_COUNT] = {
    [SERVICE_SMTP] = 25,   [SERVICE_SUBMISSION] = 587, [SERVICE_SUBMISSIONS] = 465,
    [SERVICE_IMAP] = 143,  [SERVICE_IMAPS] = 993,      [SERVICE_POP3] = 110,
    [SERVICE_POP3S] = 995,
};

uint16_t
conf_usual_port(enum service s)
{
    ASSERT(s < SERVICE_COUNT);
    return usual_ports[s];
}

void
conf_word(struct str value, struct buf *b)
{
    bool quote = value.len == 0 || str_find(value, ' ') >= 0 || str_find(value, '\t') >= 0 ||
                 str_find(value, '#') >= 0;

    buf_addf(b, quote ? "\"%.*s\"" : "%.*s", STR_FMT(value));
}

static void
add_setting(struct buf *b, const char *name, struct str value)
{
    buf_addf(b, "%-8s ", name);
    conf_word(value, b);
    buf_add_char(b, '\n');
}

static void
add_listeners(const struct conf_first *f, struct buf *b)
{
    bool brackets = str_find(f->listen, ':') >= 0;

    buf_add_z(b, "\n# Ports: 25 for other servers; 465 and 587 to send, 993 and 143 IMAP, 995 and "
                 "110 POP3.\n"
                 "# Passwords are taken under TLS only, whatever the port.\n");
    for (size_t s = 0; s < SERVICE_COUNT; s++) {
        if (usual_ports[s] == 0 || service_is_unix((enum service)s))
            continue;
        buf_addf(b, "listen %-11s %s%.*s%s:%u\n", service_name((enum service)s),
                 brackets ? "[" : "", STR_FMT(f->listen), brackets ? "]" : "",
                 usual_ports[s] + f->port_base);
    }
    buf_add_z(b, "\n# For the sendmail command of this machine's users and programs.\n");
    buf_addf(b, "listen sendmail unix \"%.*s/sendmail.sock\" mode 666\n", STR_FMT(f->run_dir));
}

static void
add_outside(const struct conf_first *f, struct buf *b)
{
    buf_addf(b, "\n# DNS: %.*s\nresolver %.*s\n", STR_FMT(f->resolver_why), STR_FMT(f->resolver));
    if (f->smarthost.len > 0)
        buf_addf(b, "\n# Mail to other servers leaves by this one.\nsmarthost %.*s\n",
                 STR_FMT(f->smarthost));
    if (f->ipv4_only)
        buf_add_z(
            b,
            "\n# The IPv6 address has no reverse name: other servers would refuse mail from it.\n"
            "source ipv6 none\n");
}

void
conf_write_first(const struct conf_first *f, struct buf *b)
{
    buf_add_z(b, "# godwit.conf - written by godwit setup; yours to change.  godwit check says "
                 "whether it is\n"
                 "# right; a change takes effect when the server is started again.\n\n");
    buf_add_z(
        b, "# The name that other servers see, and the domain that completes short user names.\n");
    add_setting(b, "host", f->host);
    add_setting(b, "domain", f->domain);
    buf_add_z(b, "\n# Mail, the control socket, the log, and who the server runs as.\n");
    add_setting(b, "data", f->data_dir);
    add_setting(b, "run-dir", f->run_dir);
    add_setting(b, "log", f->log_file);
    add_setting(b, "user", f->user);
    buf_add_z(b, "\n# The certificate (PEM, with its chain) and its key.\ntls cert ");
    conf_word(f->cert_file, b);
    buf_add_z(b, " key ");
    conf_word(f->key_file, b);
    buf_add_char(b, '\n');
    add_listeners(f, b);
    add_outside(f, b);
}

/* ---- changes ---- */

static struct str
setting_of(struct str line)
{
    struct str rest = str_trim(line);
    size_t n = 0;

    while (n < rest.len && !ascii_is_space(rest.ptr[n]) && rest.ptr[n] != '#')
        n++;
    return str_sub(rest, 0, n);
}

/* Do two lines say the same, whatever the blanks between their words? */
static bool
same_words(struct str x, struct str y)
{
    x = str_trim(x);
    y = str_trim(y);
    while (x.len > 0 && y.len > 0 && x.ptr[0] == y.ptr[0]) {
        bool blank = ascii_is_space(x.ptr[0]);
        x = blank ? str_trim(x) : str_skip(x, 1);
        y = blank ? str_trim(y) : str_skip(y, 1);
    }
    return x.len == 0 && y.len == 0;
}

bool
conf_repeats(struct str setting)
{
    return str_eq(setting, STR("listen")) || str_eq(setting, STR("route")) ||
           str_eq(setting, STR("workers")) || str_eq(setting, STR("source"));
}

struct str
conf_set(struct str text, struct str line, struct arena *a)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct str setting = setting_of(line), rest = text, row;
    bool done = false;

    while (str_split(&rest, '\n', &row)) {
        if (row.len == 0 && rest.ptr == NULL)
            break; /* what follows the last LF */
        bool is_it = str_eq(setting_of(row), setting);
        if (is_it && done)
            continue;
        buf_add(&b, is_it && !same_words(row, line) ? line : row);
        buf_add_char(&b, '\n');
        done = done || is_it;
    }
    if (!done) {
        buf_add(&b, line);
        buf_add_char(&b, '\n');
    }
    return buf_status(&b) == OK ? arena_str(a, buf_str(&b)) : text;
}

struct str
conf_add(struct str text, struct str line, struct arena *a)
{
    struct str rest = text, row;

    while (str_split(&rest, '\n', &row))
        if (same_words(row, line))
            return text;
    bool lf = text.len > 0 && text.ptr[text.len - 1] != '\n';
    return arena_printf(a, "%.*s%s%.*s\n", STR_FMT(text), lf ? "\n" : "", STR_FMT(line));
}
