/* user.c - what a domain's own people use: submission, IMAP, POP3.
 *
 * May touch:  its listeners, channels to the store, auth and keys, connections to filters that boss begins.  No files,
 *             no outbound connections of its own, no keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/link.h"
#include "imap/imap.h"
#include "login/sasl.h"
#include "mail/charset.h"
#include "mail/fold.h"
#include "pop3/pop3.h"
#include "role/front/front.h"
#include "role/role_dial.h"
#include "smtp/smtp.h"

#define BLOCKWATCH_SERVE_LINKAGE static
#include "ipc/blockwatch_serve.h"
#define CERTWATCH_SERVE_LINKAGE static
#include "ipc/certwatch_serve.h"
#include "ipc/watch_serve.h"

enum { PASSWD_BYTES = 4 << 20 };

static struct smtp_world smtp;
static struct imap_world imap;
static struct pop3_world pop3;

static const struct front_service services[] = {
    {SERVICE_SUBMISSION, &smtp_ops, "smtp",
     STR("421 4.7.0 Too many connections, try again later\r\n"),
     STR("421 4.3.2 This server starts anew, try again in a moment\r\n")},
    {SERVICE_SUBMISSIONS, &smtp_ops, "smtp",
     STR("421 4.7.0 Too many connections, try again later\r\n"),
     STR("421 4.3.2 This server starts anew, try again in a moment\r\n")},
    {SERVICE_SENDMAIL, &smtp_ops, "smtp",
     STR("421 4.7.0 Too many connections, try again later\r\n"),
     STR("421 4.3.2 This server starts anew, try again in a moment\r\n")},
    {SERVICE_IMAP, &imap_ops, "imap", STR("* BYE [UNAVAILABLE] Too many connections\r\n"),
     STR("* BYE This server starts anew, try again in a moment\r\n")},
    {SERVICE_IMAPS, &imap_ops, "imap", STR("* BYE [UNAVAILABLE] Too many connections\r\n"),
     STR("* BYE This server starts anew, try again in a moment\r\n")},
    {SERVICE_POP3, &pop3_ops, "pop3", STR("-ERR [SYS/TEMP] Too many connections\r\n"),
     STR("-ERR [SYS/TEMP] This server starts anew, try again in a moment\r\n")},
    {SERVICE_POP3S, &pop3_ops, "pop3", STR("-ERR [SYS/TEMP] Too many connections\r\n"),
     STR("-ERR [SYS/TEMP] This server starts anew, try again in a moment\r\n")},
    {0},
};

static void
blockwatch_serve_blocks_changed(struct ipc_peer *from, const struct blockwatch_blocks_changed *req,
                                struct arena *a)
{
    (void)from, (void)req, (void)a;
    front_blocks_changed();
}

static void
certwatch_serve_certs_changed(struct ipc_peer *from, const struct certwatch_certs_changed *req,
                              struct arena *a)
{
    (void)from, (void)req, (void)a;
    front_certs_changed();
}

void
watch_serve_changed(struct ipc_peer *from, const struct watch_changed *req, struct arena *a)
{
    (void)from, (void)a;
    imap_changed(req->account, req->modseq, req->mailboxes, req->mailboxes_count);
}

void
watch_serve_revoked(struct ipc_peer *from, const struct watch_revoked *req, struct arena *a)
{
    (void)from, (void)a;
    imap_revoked(req->account, req->session);
    pop3_revoked(req->account, req->session);
    smtp_revoked(req->account, req->session);
}

/* Authorities of client certificates; for the sendmail command, which user has which number.
 * Boss notices a new table within half a minute. */
static void
files_changed(const struct role_start *s)
{
    static struct buf passwd = BUF(PASSWD_BYTES);

    buf_reset(&passwd);
    if (role_file_read(s, STR(ROLE_PASSWD_FILE), &passwd) != OK)
        buf_reset(&passwd); /* users are called by their numbers */
    smtp.passwd = buf_str(&passwd);
    front_trust_clients(s);
}

/* SEARCH reads text in any charset. */
static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    charset_preload();
    fold_preload();
    return OK;
}

static const struct link_verbs dialler = {.dial = role_dial};

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    smtp.config = imap.config = pop3.config = s->config;
    files_changed(s);
    smtp_init(&smtp);
    link_init(&dialler);
    imap_init(&imap);
    pop3_init(&pop3);
    return front_begin(s, services, why);
}

static void
config_changed(const struct role_start *s)
{
    smtp.config = imap.config = pop3.config = s->config;
    sasl_take_tokens(s->config->oauth.issuer);
    front_config_changed(s, services);
}

static void
follow_peers(void)
{
    smtp.store = imap.store = pop3.store = role_peer(ROLE_STORE);
    smtp.auth = imap.auth = pop3.auth = role_peer(ROLE_AUTH);
}

static void
peer_arrived(struct ipc_peer *p)
{
    follow_peers();
    if (ipc_role(p) != ROLE_STORE)
        return;
    imap_store_back();
    front_blocks_changed();
}

static void
peer_gone(struct ipc_peer *p)
{
    follow_peers();
    if (ipc_role(p) == ROLE_STORE)
        imap_store_lost();
}

static const struct ipc_service *const serves[] = {&blockwatch_service, &certwatch_service,
                                                   &watch_service};

const struct role_verbs role_user = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .peer_arrived = peer_arrived,
    .peer_gone = peer_gone,
    .stop = front_stop,
    .config_changed = config_changed,
    .files_changed = files_changed,
};
