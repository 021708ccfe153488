/* imap_internal.h - a source of mail that is an IMAP server: its connection, inside.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_IMAP_INTERNAL_H
#define MIGRATE_IMAP_INTERNAL_H

#include "migrate/imap_reply.h"
#include "migrate/imap_source.h"

/* FETCH commands that wait for their answers; the bytes of all but one of their bodies are held to this. */
#define IMAP_WINDOW       16u
#define IMAP_WINDOW_BYTES (4u << 20)

struct imap_pending {
    uint32_t tag;
    const struct migrate_message *m;
};
struct imap_source {
    const struct remote_server *server;
    const struct remote_login *login;
    const struct pop3_list *uidls;
    uint32_t number;      /* in keys */
    struct conn *conn;    /* NULL = none */
    unsigned has;         /* enum imap_has */
    uint32_t tag;         /* of the last command */
    struct buf line;      /* a command being written */
    struct buf text;      /* a response being gathered */
    struct arena *a;      /* of it, once it was read */
    struct problem wrong; /* the last failure */
    uint64_t replies;     /* since the last command */
    uint64_t expunged;    /* since the folder was opened */
    bool dead;            /* nothing more is to be had */
    char program[64];     /* how the server calls itself */
    /* where a body goes; NULL: none is expected */
    struct buf *body;
    bool body_over; /* it was larger than that */
    /* the open folder */
    const struct migrate_folder *folder; /* NULL = none */
    uint32_t uidvalidity;                /* of it when it was listed */
    /* bodies that were asked for */
    struct imap_pending pending[IMAP_WINDOW];
    size_t first, count, window;
    uint64_t bytes;
    size_t next; /* message of the folder that is asked for next */
};

/* ---- imap_tree.c ---- */

MUST_USE SUSPENDS enum status imap_tree_once(struct imap_source *s, struct arena *a,
                                             struct migrate_tree *out);

/* ---- imap_link.c: one conversation.  ERR_CLOSED, ERR_TIMEOUT, ERR_TEMP: another one may do.  ERR_SYNTAX, ERR_LIMIT:
 * it does not speak IMAP.  ERR_DENIED: it does not want us, or we not it.  In any case wrong says it. ---- */

MUST_USE SUSPENDS enum status imap_link_open(struct imap_source *s);
void imap_link_drop(struct imap_source *s);
/* A command: begun, strings added to it, sent.  A string that cannot be quoted waits for the server's "+". */
void imap_link_begin(struct imap_source *s, const char *words);
MUST_USE SUSPENDS enum status imap_link_string(struct imap_source *s, struct str text);
MUST_USE SUSPENDS enum status imap_link_send(struct imap_source *s);
/* The next response; BYE is ERR_CLOSED. */
MUST_USE SUSPENDS enum status imap_link_next(struct imap_source *s, struct imap_reply *r);
/* Is this the end of the command with that tag?  ERR_SYNTAX: of another. */
MUST_USE enum status imap_link_is_end(struct imap_source *s, const struct imap_reply *r,
                                      uint32_t tag, bool *end_out);
/* Passes over what comes before the end of the last command. */
MUST_USE SUSPENDS enum status imap_link_end(struct imap_source *s, struct imap_reply *r);
/* Remembers what is wrong, and returns e. */
MUST_USE enum status imap_link_fail(struct imap_source *s, enum status e, const char *format, ...)
    PRINTF(3, 4);

#endif
