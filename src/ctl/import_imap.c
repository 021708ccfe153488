/* import_imap.c - godwit import imap: of one account of another server, or of those in a file.
 *
 * A few fibers take account after account, each with a connection of its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/size.h"
#include "ctl/import_mail.h"
#include "mail/names.h"
#include "migrate/imap_source.h"
#include "migrate/maildir.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/offload.h"

enum {
    WORKERS = 4, /* where it is not said */
    ACCOUNT_ARENA = 256 << 20,
    HOST_BYTES = 256,
    PORT_BYTES = 8,
    TARGETS_MAX = 16,
    ANCHORS_BYTES = 1 << 20,
};

struct import_imap_options import_imap_typed;

static const struct import_reader imap_reader = {
    .name = "imap",
    .folder = imap_source_folder,
    .body = imap_source_body,
    .wrong = imap_source_folder_wrong,
    .whole = true,
};

struct place { /* a mailbox there, and where it goes */
    struct str address, user, password;
    struct place *next;
};
struct run {
    struct import_mail im;
    struct remote_server imap, pop3;
    struct place *places, **last;
    struct str password; /* of the master user, or of the one account */
    struct tls_client *tls;
    struct fiber *waiter;
    size_t workers;
    bool done;
};
struct lookup {
    const char *host, *port;
    struct addrinfo *found;
    int error;
};

static SUSPENDS int run_all(struct run *r, struct buf *accounts, struct secret *password);
static bool check_options(void);
static SUSPENDS bool find_servers(struct run *r);
static SUSPENDS bool find_server(struct run *r, const char *where, const char *port,
                                 struct remote_server *to);
static bool load_trust(struct run *r);
static bool read_file(const char *path, struct buf *to);
static bool read_password(struct run *r, struct secret *to);
static bool read_places(struct run *r, struct str text);
static void add_place(struct run *r, const struct remote_account *x);
static void work(void *arg);
static SUSPENDS void import_one(struct run *r, const struct place *p);
static SUSPENDS const char *open_source(struct run *r, struct import_account *acc,
                                        struct imap_source *source, struct arena *a);
static SUSPENDS void import_folders(struct run *r, struct import_account *acc,
                                    struct imap_source *source);
static void fail(struct run *r, const struct import_account *acc, struct str folder,
                 const char *wrong);
static bool is_uidl(const char *typed);
static struct str uidl_of(const struct imap_source *s);

int
ctl_import_imap(struct ctl *c)
{
    AUTO_BUF accounts = BUF(LIMIT_IMPORT_ACCOUNTS_BYTES);
    AUTO_SECRET password = {0};
    struct run r = {.im = {.c = c}, .waiter = fiber_self()};

    r.last = &r.places;
    if (!check_options())
        return CTL_USAGE;
    int code = run_all(&r, &accounts, &password);
    if (accounts.cap > 0)
        mem_wipe(accounts.ptr, accounts.cap);
    tls_client_free(&r.tls);
    return code;
}

static int
run_all(struct run *r, struct buf *accounts, struct secret *password)
{
    const struct import_imap_options *o = &import_imap_typed;
    int64_t began = clock_mono_ms();
    uint32_t parallel = WORKERS;

    if (o->parallel != NULL) {
        struct scan s = scan_of(str_of(o->parallel));
        if (!scan_u32(&s, LIMIT_IMPORT_PARALLEL, &parallel) || !scan_at_end(&s) || parallel == 0) {
            fprintf(stderr, "godwit import imap: --parallel is a number from 1 to %u\n",
                    (unsigned)LIMIT_IMPORT_PARALLEL);
            return CTL_USAGE;
        }
    }
    if (o->accounts != NULL && !read_file(o->accounts, accounts))
        return CTL_FAILED;
    if (!find_servers(r) || !read_password(r, password) || !read_places(r, buf_str(accounts)))
        return CTL_FAILED;
    r->im.told = r->im.c->json ? json_array() : NULL;
    for (size_t i = 0; i < parallel; i++)
        r->workers += fiber_go(work, r) == OK;
    if (r->workers > 0 && fiber_park_for(&r->done, FIBER_FOREVER, true) != OK)
        return CTL_FAILED;
    return import_mail_end(&r->im, began);
}

static bool
check_options(void)
{
    const struct import_imap_options *o = &import_imap_typed;
    const char *uidl = import_mail_typed.uidl;
    const char *wrong = NULL;

    if ((import_mail_typed.account != NULL) == (o->accounts != NULL))
        wrong = "expected --account ADDRESS or --accounts FILE";
    else if (o->user != NULL && o->accounts != NULL)
        wrong = "--user belongs to --account; a file names the users itself";
    else if (o->separator != NULL && (o->master == NULL || strlen(o->separator) != 1))
        wrong = "--master-separator is one character, and --master goes with it";
    else if (o->starttls && o->plaintext)
        wrong = "--starttls and --plaintext exclude each other";
    else if (uidl != NULL && strstr(uidl, "%f") != NULL)
        wrong = "IMAP does not tell the names of files (%f); --pop3 asks for the unique ids";
    else if (uidl != NULL && !is_uidl(uidl))
        wrong = "--uidl is dovecot, cyrus, courier, uw, none, or a format with %u in it";
    if (wrong != NULL)
        fprintf(stderr, "godwit import imap: %s\n", wrong);
    return wrong == NULL;
}

/* ---- the other server ---- */

static bool
find_servers(struct run *r)
{
    const struct import_imap_options *o = &import_imap_typed;

    if (!o->plaintext && !load_trust(r))
        return false;
    bool open = o->starttls || o->plaintext;
    return find_server(r, r->im.c->argv[0], open ? "143" : "993", &r->imap) &&
           (o->pop3 == NULL || find_server(r, o->pop3, open ? "110" : "995", &r->pop3));
}

/* HOST, HOST:PORT, [2001:db8::1]:PORT */
static bool
split_host(struct str where, char host[HOST_BYTES], char port[PORT_BYTES])
{
    ssize_t colon = str_rfind(where, ':');
    struct str name = where;

    if (str_starts(where, STR("["))) {
        ssize_t end = str_find(where, ']');
        if (end < 0)
            return false;
        name = str_sub(where, 1, (size_t)end - 1); /* found: after the first one */
        colon = colon > end ? colon : -1;
    } else if (colon >= 0 && str_find(where, ':') == colon) {
        name = str_sub(where, 0, (size_t)colon);
    } else {
        colon = -1;
    }
    if (colon >= 0 && !str_to_z(str_skip(where, (size_t)colon + 1), port, PORT_BYTES))
        return false;
    return name.len > 0 && str_to_z(name, host, HOST_BYTES);
}

/* On a thread: the system's resolver blocks, and wants more stack than a fiber has. */
static void
look_up(void *arg)
{
    struct lookup *l = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

    l->error = getaddrinfo(l->host, l->port, &hints, &l->found);
}

static bool
is_loopback(const struct addrinfo *x)
{
    const void *at = x->ai_addr;
    const struct sockaddr_in *v4 = at;
    const struct sockaddr_in6 *v6 = at;

    return x->ai_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == 127
                                   : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* False: one of them would carry passwords over a network. */
static bool
take_addresses(struct run *r, const struct addrinfo *found, struct remote_server *to)
{
    struct conn_target *targets = ARENA_ARRAY(r->im.c->arena, struct conn_target, TARGETS_MAX);
    bool good = true;

    for (const struct addrinfo *x = found; x != NULL && to->target_count < TARGETS_MAX;
         x = x->ai_next) {
        if (x->ai_family != AF_INET && x->ai_family != AF_INET6)
            continue;
        struct conn_target *t = &targets[to->target_count++];
        t->addr_len = x->ai_addrlen;
        t->timeout_ms = (int64_t)LIMIT_IMPORT_CONNECT_S * 1000;
        mem_copy(&t->addr, x->ai_addr, x->ai_addrlen);
        good &= is_loopback(x) || !import_imap_typed.plaintext;
    }
    to->targets = targets;
    return good && to->target_count > 0;
}

static bool
find_server(struct run *r, const char *where, const char *port, struct remote_server *to)
{
    const struct import_imap_options *o = &import_imap_typed;
    AUTO(offload_free) struct offload_pool *pool = NULL;
    char host[HOST_BYTES], at[PORT_BYTES];
    struct lookup l = {.host = host, .port = at};

    if (!str_to_z(str_of(port), at, sizeof(at)) || !split_host(str_of(where), host, at)) {
        fprintf(stderr, "godwit import imap: %s: expected HOST or HOST:PORT\n", where);
        return false;
    }
    if (offload_new("resolve", 1, 1, &pool) != OK || rt_offload(pool, look_up, &l) != OK)
        return false;
    if (l.error != 0) {
        fprintf(stderr, "godwit import imap: %s: %s\n", host, gai_strerror(l.error));
        return false;
    }
    bool good = take_addresses(r, l.found, to);
    freeaddrinfo(l.found);
    if (!good) {
        fprintf(stderr, "godwit import imap: %s: %s\n", where,
                o->plaintext ? "--plaintext is for this machine (127.0.0.1) alone"
                             : "it has no address");
        return false;
    }
    to->name = arena_str(r->im.c->arena, str_of(o->tls_name != NULL ? o->tls_name : host));
    to->mode = o->plaintext ? REMOTE_PLAIN : o->starttls ? REMOTE_STARTTLS : REMOTE_TLS;
    to->tls = r->tls;
    return true;
}

/* The system's anchors, and the certificate of a file. */
static bool
load_trust(struct run *r)
{
    const char *path = import_imap_typed.ca;
    AUTO_BUF pem = BUF(ANCHORS_BYTES);

    if (tls_client_new(TLS_VERIFY_NAME, &r->tls) != OK)
        return false;
    if (path == NULL)
        return true;
    if (!read_file(path, &pem))
        return false;
    if (tls_client_trust(r->tls, buf_str(&pem)) == OK)
        return true;
    fprintf(stderr, "godwit import imap: %s: this is no certificate in PEM\n", path);
    return false;
}

/* ---- who ---- */

static bool
read_file(const char *path, struct buf *to)
{
    AUTO(fd_close) int fd = -1;

    if (disk_open(path, O_RDONLY, 0, &fd) == OK && role_fd_read(fd, to) == OK)
        return true;
    fprintf(stderr, "godwit import imap: %s: cannot be read, or is larger than %zuM\n", path,
            to->max >> 20);
    return false;
}

/* A file of accounts may have them all. */
static bool
read_password(struct run *r, struct secret *to)
{
    const struct import_imap_options *o = &import_imap_typed;
    AUTO_BUF text = BUF(SECRET_MAX + 2);
    struct str rest, line;

    if (o->accounts != NULL && o->master == NULL && o->password_file == NULL)
        return true;
    if (o->password_file == NULL || strcmp(o->password_file, "-") == 0) {
        if (!ctl_read_password(to))
            return false;
    } else {
        if (!read_file(o->password_file, &text))
            return false;
        rest = buf_str(&text);
        bool good = str_split(&rest, '\n', &line) && (line = str_trim(line)).len > 0 &&
                    secret_set(to, line);
        if (text.cap > 0)
            mem_wipe(text.ptr, text.cap);
        if (!good) {
            fprintf(stderr, "godwit import imap: %s: its first line is no password\n",
                    o->password_file);
            return false;
        }
    }
    r->password = secret_str(to);
    return true;
}

static bool
read_places(struct run *r, struct str text)
{
    struct remote_accounts l = {.in = scan_of(text)};
    struct remote_account x;

    if (import_mail_typed.account != NULL) {
        x = (struct remote_account){.address = str_of(import_mail_typed.account)};
        if (import_imap_typed.user != NULL)
            x.user = str_of(import_imap_typed.user);
        add_place(r, &x);
        return true;
    }
    while (remote_account_next(&l, &x)) {
        if (x.address.len == 0 || str_find(x.address, '@') <= 0) {
            fprintf(stderr, "godwit import imap: %s:%u: expected an address first\n",
                    import_imap_typed.accounts, x.line);
            return false;
        }
        add_place(r, &x);
    }
    if (r->places == NULL)
        fprintf(stderr, "godwit import imap: %s: it names no account\n",
                import_imap_typed.accounts);
    return r->places != NULL;
}

static void
add_place(struct run *r, const struct remote_account *x)
{
    struct place *p = ARENA_NEW(r->im.c->arena, struct place);

    *p = (struct place){.address = name_address(x->address, r->im.c->arena),
                        .user = x->user.len > 0 ? x->user : x->address,
                        .password = import_imap_typed.master != NULL || x->password.len == 0
                                        ? r->password
                                        : x->password};
    *r->last = p;
    r->last = &p->next;
}

/* ---- fibers ---- */

static FIBER_ENTRY void
work(void *arg)
{
    struct run *r = arg;

    while (r->places != NULL && r->im.broken == OK) {
        const struct place *p = r->places;
        r->places = p->next;
        import_one(r, p);
    }
    if (--r->workers == 0)
        fiber_done(r->waiter, &r->done);
}

static void
import_one(struct run *r, const struct place *p)
{
    const struct import_imap_options *o = &import_imap_typed;
    AUTO_ARENA *a = arena_new(ACCOUNT_ARENA);
    struct import_account acc = {.reader = &imap_reader, .address = p->address};
    const struct remote_login login = {.user = p->user,
                                       .master = str_of(o->master != NULL ? o->master : ""),
                                       .separator = o->separator != NULL ? o->separator[0] : '\0',
                                       .password = p->password};
    const char *from =
        import_mail_typed.source != NULL ? import_mail_typed.source : r->im.c->argv[0];
    struct pop3_list uidls = {0};
    struct problem why = {0};
    const char *wrong = NULL;

    r->im.accounts++;
    acc.source = (uint32_t)hash_stable(/* half of it will do */
                                       arena_printf(a, "%s/%.*s", from, STR_FMT(p->user)));
    AUTO(imap_source_free)
    struct imap_source *source = imap_source_new(&r->imap, &login, acc.source);
    if (p->password.len == 0)
        wrong = "the file has no password for it";
    if (wrong == NULL && o->pop3 != NULL) {
        if (pop3_uidls(&r->pop3, &login, a, &uidls, &why) != OK)
            wrong = why.text;
        imap_source_uidls(source, &uidls);
    }
    if (wrong == NULL)
        wrong = open_source(r, &acc, source, a);
    if (wrong == NULL)
        import_folders(r, &acc, source);
    else
        fail(r, &acc, p->user, wrong);
}

/* NULL, or what is wrong. */
static const char *
open_source(struct run *r, struct import_account *acc, struct imap_source *source, struct arena *a)
{
    const char *wrong = import_account_open(&r->im, acc, a);

    if (wrong != NULL)
        return wrong;
    if (imap_source_tree(source, a, &acc->tree) != OK)
        return imap_source_wrong(source);
    acc->uidl = uidl_of(source);
    enum status s = import_account_subscribe(&r->im, acc, a);
    return s == OK ? NULL : status_name(s);
}

/* What can be no mailbox here is named, and is a failure. */
static void
import_folders(struct run *r, struct import_account *acc, struct imap_source *source)
{
    struct migrate_tree *t = &acc->tree;
    char text[64];

    for (size_t i = 0; i < t->skipped; i++)
        fail(r, acc, t->skipped_names[i], "no mailbox here can have this name");
    for (size_t i = 0; i < t->count && r->im.broken == OK; i++) {
        import_mail_folder(&r->im, acc, &t->folders[i]);
        if (!imap_source_is_dead(source) || i + 1 == t->count)
            continue;
        snprintf(text, sizeof(text), "it was not looked at, nor %zu more", t->count - i - 2);
        fail(r, acc, t->folders[i + 1].name, text);
        return;
    }
}

static void
fail(struct run *r, const struct import_account *acc, struct str folder, const char *wrong)
{
    const struct import_counts none = {0};

    r->im.failed++;
    import_mail_tell(&r->im, acc, folder, &none, wrong);
}

/* ---- unique ids ---- */

static const struct {
    const char *program, *format;
} uidl_formats[] = {{"dovecot", "%08Xu%08Xv"}, {"cyrus", "%v.%u"},   {"godwit", "%08Xv%08Xu"},
                    {"uw", "%08Xv%08Xu"},      {"courier", "%v-%u"}, {"none", ""}};

/* Is it one of these, or a format that gives no two messages the same? */
static bool
is_uidl(const char *typed)
{
    const struct uidl_facts one = {.uid = 1, .uidvalidity = 7},
                            other = {.uid = 2, .uidvalidity = 7};
    AUTO_BUF a = BUF(LIMIT_UIDL_BYTES + 1);
    AUTO_BUF b = BUF(LIMIT_UIDL_BYTES + 1);

    for (size_t i = 0; i < COUNT_OF(uidl_formats); i++)
        if (str_eq_nocase(str_of(typed), str_of(uidl_formats[i].program)))
            return true;
    return uidl_format(str_of(typed), &one, &a) && uidl_format(str_of(typed), &other, &b) &&
           !str_eq(buf_str(&a), buf_str(&b));
}

/* How POP3 named messages there: as it is said, by the name of a program, or by that which the server calls itself. */
static struct str
uidl_of(const struct imap_source *s)
{
    const char *typed = import_mail_typed.uidl;

    for (size_t i = 0; i < COUNT_OF(uidl_formats); i++) {
        struct str name = str_of(uidl_formats[i].program);
        if (typed != NULL ? str_eq_nocase(str_of(typed), name)
                          : str_starts_nocase(imap_source_program(s), name))
            return str_of(uidl_formats[i].format);
    }
    return str_of(typed != NULL ? typed : "");
}
