/* sendmail_talk.c - the sendmail command's conversation with the server, on its Unix socket.
 *
 * The server knows who calls (SO_PEERCRED) and says so in its answer to EHLO, "250-mail.example.org Hello
 * anna@example.org": that is the sender unless another one is asked for, and the domain of names without one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "ctl/sendmail.h"
#include "mail/compose.h"
#include "mail/header.h"
#include "mail/line.h"
#include "rt/clock.h"
#include "rt/disk.h"

enum {
    TALK_ARENA = 4 << 20,
    ANSWER_MAX = 65536,
    SHUTTLE_BYTES = 1024,
    PATIENCE_S = LIMIT_OUT_FINAL_REPLY_S,
    CONTINUED = 0, /* a line of a reply that goes on */
    NO_REPLY = -1,
};

struct talk {
    int fd;
    bool verbose;
    struct buf in;    /* not yet read */
    struct buf reply; /* the last line of the last reply, or the first where wanted */
    struct arena *arena;
    struct str self, domain; /* who the server says we are */
};

struct envelope {
    struct str sender;
    size_t size; /* about: line ends of one byte become two */
};

static int failed(const struct talk *t, int code, struct str whom);

/* ---- the socket ---- */

static int
say_no_server(const char *path)
{
    int problem = errno;

    fprintf(stderr,
            "sendmail: the mail server does not answer at %s (%m); nothing was sent or kept, try "
            "again later\n",
            path);
    return problem == EACCES || problem == EPERM ? EX_NOPERM : EX_TEMPFAIL;
}

static bool
open_socket(const char *path, int *fd_out)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || !str_to_z(str_of(path), to.sun_path, sizeof(to.sun_path)) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
        connect(fd, (const struct sockaddr *)&to, (socklen_t)sizeof(to)) != 0)
        return false;
    *fd_out = fd;
    fd = -1;
    return true;
}

static bool
send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* ---- lines ---- */

static bool say(struct talk *t, const char *format, ...) PRINTF(2, 3);

static bool
say(struct talk *t, const char *format, ...)
{
    AUTO_BUF b = BUF(ANSWER_MAX);
    char text[2048];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(text))
        return false;
    if (t->verbose)
        fprintf(stderr, ">>> %s\n", text);
    buf_add_z(&b, text);
    buf_add_z(&b, "\r\n");
    return send_all(t->fd, buf_str(&b));
}

static bool
hear_line(struct talk *t, struct str *line_out)
{
    ssize_t end;

    while ((end = str_find(buf_str(&t->in), '\n')) < 0) {
        char *to = buf_tail(&t->in, 4096);
        ssize_t n = to == NULL ? -1 : recv(t->fd, to, 4096, 0);
        if (n < 0 && to != NULL && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        buf_grew(&t->in, (size_t)n);
    }
    *line_out = arena_str(t->arena, str_trim(str_sub(buf_str(&t->in), 0, (size_t)end)));
    buf_consume(&t->in, (size_t)end + 1);
    return true;
}

/* Reply-line = Reply-code [ "-" / SP textstring ]      RFC 5321 section 4.2 */
static int
code_of(struct str line)
{
    struct scan s = scan_of(line);
    uint32_t code;

    if (!scan_u32(&s, 599, &code) || code < 200 || s.pos != line.ptr + 3)
        return NO_REPLY;
    return line.len > 3 && line.ptr[3] == '-' ? CONTINUED : (int)code;
}

/* The code of a whole reply; its first line in *first_out unless that is NULL, its last in t->reply. */
static int
hear(struct talk *t, struct str *first_out)
{
    struct str line;
    bool first = true;
    int code;

    do {
        if (!hear_line(t, &line))
            return NO_REPLY;
        if (t->verbose)
            fprintf(stderr, "<<< %.*s\n", STR_FMT(line));
        if (first && first_out != NULL)
            *first_out = line;
        first = false;
        code = code_of(line);
    } while (code == CONTINUED);
    buf_reset(&t->reply);
    buf_add(&t->reply, line);
    return code;
}

/* ---- what a reply means ---- */

int
sendmail_exit_of(int code, struct str enhanced)
{
    static const struct {
        const char *enhanced; /* a prefix, without the first digit */
        int exit;
    } meanings[] = {
        {".1.1", EX_NOUSER},  {".1.2", EX_NOHOST}, {".1.3", EX_DATAERR},
        {".1.7", EX_DATAERR}, {".6.", EX_DATAERR}, {".7.1", EX_NOPERM},
    };

    if (code < 500) /* 4xx, and no reply at all */
        return EX_TEMPFAIL;
    for (size_t i = 0; i < COUNT_OF(meanings); i++)
        if (str_starts(str_skip(enhanced, 1), str_of(meanings[i].enhanced)))
            return meanings[i].exit;
    return EX_UNAVAILABLE;
}

/* whom: the recipient, or empty when it is about all of it. */
static int
failed(const struct talk *t, int code, struct str whom)
{
    struct str reply = str_skip(buf_str(&t->reply), 4), enhanced = STR("");

    if (code == NO_REPLY) {
        fprintf(stderr, "sendmail: the mail server was lost in the middle; nothing is known of the "
                        "message, try again later\n");
        return EX_TEMPFAIL;
    }
    struct str rest = reply;
    str_split(&rest, ' ', &enhanced);
    if (str_find_str(reply, whom) >= 0) /* or nobody */
        whom = STR("");
    fprintf(stderr, "sendmail: %.*s%s%.*s; nothing was sent or kept\n", STR_FMT(whom),
            whom.len > 0 ? ": " : "", STR_FMT(reply));
    return sendmail_exit_of(code, enhanced);
}

/* ---- the message ---- */

/* "250-mail.example.org Hello anna@example.org" */
static int
greet(struct talk *t)
{
    struct str first;
    int code = hear(t, NULL);

    if (code != 220)
        return failed(t, code, STR(""));
    code = say(t, "EHLO localhost") ? hear(t, &first) : NO_REPLY;
    if (code != 250)
        return failed(t, code, STR(""));
    t->self = str_skip(first, (size_t)(str_rfind(first, ' ') + 1));
    ssize_t at = str_rfind(t->self, '@');
    if (at <= 0)
        return failed(t, NO_REPLY, STR(""));
    t->domain = str_skip(t->self, (size_t)at + 1);
    return EX_OK;
}

static int
bad_address(const struct compose_rcpts *r, enum status st)
{
    if (st == ERR_LIMIT)
        fprintf(stderr, "sendmail: more than %d recipients\n", LIMIT_SUBMIT_RCPTS);
    else
        fprintf(stderr, "sendmail: \"%.*s\" is no address; nothing was sent or kept\n",
                STR_FMT(r->bad));
    return st == ERR_LIMIT ? EX_UNAVAILABLE : EX_DATAERR;
}

/* -f: an address in any of its forms; "" and "<>" are the sender of what needs no answer. */
static int
find_sender(const struct talk *t, const struct sendmail_options *o, struct str *out)
{
    struct compose_rcpts r = {.domain = t->domain, .arena = t->arena};

    *out = t->self;
    if (!o->has_sender)
        return EX_OK;
    *out = STR("");
    if (o->sender.len == 0 || str_eq(o->sender, STR("<>")))
        return EX_OK;
    enum status st = compose_rcpts_add(&r, o->sender);
    if (st != OK || r.count != 1) {
        r.bad = st == OK ? o->sender : r.bad;
        return bad_address(&r, ERR_SYNTAX);
    }
    *out = r.list[0];
    return EX_OK;
}

static int
find_rcpts(const struct talk *t, const struct sendmail_options *o, struct str message,
           struct compose_rcpts *out)
{
    struct compose_rcpts r = {.domain = t->domain, .arena = t->arena};
    enum status st = OK;

    for (int i = 0; i < o->rcpt_count && st == OK; i++)
        st = compose_rcpts_add(&r, str_of(o->rcpts[i]));
    if (o->find_rcpts && st == OK)
        st = compose_rcpts_find(&r, message);
    if (st != OK)
        return bad_address(&r, st);
    if (r.count == 0) {
        fprintf(stderr, "sendmail: no recipient is named%s\n",
                o->find_rcpts ? ": To, Cc and Bcc are missing or empty" : "");
        return EX_USAGE;
    }
    *out = r;
    return EX_OK;
}

/* -F, or the full name in the table of users, in which "&" stands for the login. */
static struct str
full_name(const struct talk *t, const struct sendmail_options *o)
{
    const struct passwd *user;
    struct str gecos, name;

    if (o->name.len > 0)
        return o->name;
    user = getpwuid(getuid()); /* one thread */
    if (user == NULL || user->pw_gecos == NULL)
        return STR("");
    gecos = str_of(user->pw_gecos);
    str_split(&gecos, ',', &name);
    if (str_find(name, '&') >= 0)
        return STR("");
    return arena_str(t->arena, name);
}

static bool
is_ascii(const struct compose_rcpts *r, struct str sender)
{
    bool ascii = str_is_ascii(sender);

    for (size_t i = 0; i < r->count; i++)
        ascii = ascii && str_is_ascii(r->list[i]);
    return ascii;
}

static int
say_envelope(struct talk *t, const struct sendmail_options *o, const struct compose_rcpts *r,
             const struct envelope *e)
{
    bool said = say(t, "MAIL FROM:<%.*s> SIZE=%zu%s%.*s%.*s", STR_FMT(e->sender), e->size,
                    is_ascii(r, e->sender) ? "" : " SMTPUTF8", STR_FMT(o->ret), STR_FMT(o->envid));
    int code = said ? hear(t, NULL) : NO_REPLY;

    if (code != 250)
        return failed(t, code, STR(""));
    for (size_t i = 0; i < r->count; i++) {
        said = say(t, "RCPT TO:<%.*s>%.*s", STR_FMT(r->list[i]), STR_FMT(o->notify));
        code = said ? hear(t, NULL) : NO_REPLY;
        if (code != 250)
            return failed(t, code, r->list[i]);
    }
    return EX_OK;
}

static int
say_message(struct talk *t, struct str message)
{
    struct line_encoder encoder;
    struct scan in = scan_of(message);
    struct str run;
    int code = say(t, "DATA") ? hear(t, NULL) : NO_REPLY;
    bool sent = true;

    if (code != 354)
        return failed(t, code, STR(""));
    line_encoder_init(&encoder);
    while (sent && line_encode(&encoder, &in, &run) == LINE_RUN)
        sent = send_all(t->fd, run);
    sent = sent && send_all(t->fd, line_encode_end(&encoder));
    code = sent ? hear(t, NULL) : NO_REPLY;
    return code == 250 ? EX_OK : failed(t, code, STR(""));
}

static int
converse(struct talk *t, const struct sendmail_options *o, struct str raw)
{
    AUTO_BUF message = BUF(2 * (size_t)LIMIT_MESSAGE_BYTES);
    struct str cut = compose_cut(raw, !o->keep_dots), sender;
    struct compose_rcpts rcpts;

    int done = greet(t);
    if (done == EX_OK)
        done = find_sender(t, o, &sender);
    if (done == EX_OK)
        done = find_rcpts(t, o, cut, &rcpts);
    if (done != EX_OK)
        return done;
    const struct compose how = {.from = sender.len > 0 ? sender : t->self,
                                .name = full_name(t, o),
                                .domain = t->domain,
                                .now = clock_now()};
    if (compose_write(cut, &how, &message) != OK) {
        fprintf(stderr, "sendmail: the message is too large\n");
        return EX_DATAERR;
    }
    done = say_envelope(t, o, &rcpts, &(struct envelope){sender, message.len});
    if (done == EX_OK)
        done = say_message(t, buf_str(&message));
    if (done == EX_OK && say(t, "QUIT")) {
        /* Its answer changes nothing: the message is kept. */
    }
    return done;
}

int
sendmail_deliver(const char *socket_path, const struct sendmail_options *o, struct str message)
{
    AUTO_ARENA *a = arena_new(TALK_ARENA);
    AUTO(fd_close) int fd = -1;
    struct talk t = {
        .verbose = o->verbose, .in = BUF(ANSWER_MAX), .reply = BUF(ANSWER_MAX), .arena = a};

    if (!open_socket(socket_path, &fd))
        return say_no_server(socket_path);
    t.fd = fd;
    int done = converse(&t, o, message);
    buf_release(&t.in);
    buf_release(&t.reply);
    return done;
}

/* ---- -bs ---- */

/* A program that ends its lines by LF alone is understood too. */
static bool
pass_input(int fd, char *last)
{
    AUTO_BUF b = BUF(2 * SHUTTLE_BYTES);
    char chunk[SHUTTLE_BYTES];
    ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

    if (n <= 0) {
        (void)shutdown(fd, SHUT_WR);
        return false;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (chunk[i] == '\n' && *last != '\r')
            buf_add_char(&b, '\r');
        buf_add_char(&b, chunk[i]);
        *last = chunk[i];
    }
    return send_all(fd, buf_str(&b));
}

/* EX_OK: there may be more to come; *end_out: there is not. */
static int
pass_output(int fd, bool *end_out)
{
    char chunk[SHUTTLE_BYTES];
    ssize_t n = recv(fd, chunk, sizeof(chunk), 0), m;

    *end_out = n <= 0;
    if (n < 0)
        return EX_TEMPFAIL;
    for (ssize_t at = 0; at < n; at += m)
        if ((m = write(STDOUT_FILENO, chunk + at, (size_t)(n - at))) < 0)
            return EX_IOERR;
    return EX_OK;
}

int
sendmail_shuttle(const char *socket_path)
{
    AUTO(fd_close) int fd = -1;
    char last = '\0';
    int done = EX_OK;
    bool end = false;

    if (!open_socket(socket_path, &fd))
        return say_no_server(socket_path);
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (done == EX_OK && !end) {
        if (poll(p, COUNT_OF(p), -1) < 0) {
            done = errno == EINTR ? EX_OK : EX_OSERR;
            continue;
        }
        if (p[0].revents != 0)
            done = pass_output(fd, &end);
        if (p[1].revents != 0 && !pass_input(fd, &last))
            p[1].fd = -1;
    }
    return done;
}
