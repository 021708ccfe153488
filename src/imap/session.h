/* session.h - one IMAP session, its current command, and the replies that all commands share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_SESSION_H
#define IMAP_SESSION_H

#include "base/arena.h"
#include "base/mem.h"
#include "base/scan.h"
#include "imap/box.h"
#include "ipc/hold.h"
#include "login/sasl.h"

enum imap_state { /* RFC 3501 section 3, as bits, so that a verb can name those it may come in */
                  IMAP_NOT_AUTH = 1,
                  IMAP_AUTH = 2,
                  IMAP_SELECTED = 4,
};
#define IMAP_ANY    (IMAP_NOT_AUTH | IMAP_AUTH | IMAP_SELECTED)
#define IMAP_LOGGED (IMAP_AUTH | IMAP_SELECTED)

/* What the next input means: a session at rest is data. */
enum imap_rest {
    IMAP_REST_COMMAND,  /* a line that begins a command */
    IMAP_REST_LITERAL,  /* bytes of a literal that goes into the command */
    IMAP_REST_CONTINUE, /* the line that goes on after a literal */
    IMAP_REST_APPEND,   /* bytes of a message that goes to the store */
    IMAP_REST_SASL,     /* the answer to a "+" of AUTHENTICATE */
    IMAP_REST_IDLE,     /* DONE, or news */
};

struct imap_append; /* append.c: what an APPEND under way has gathered */

struct imap_session {
    struct list node;
    struct conn *conn;
    uint64_t id; /* login_session_new() */
    enum imap_state state;
    enum imap_rest rest;
    bool bye;         /* close when this wake is over */
    bool revoked;     /* close with BYE when this wake is over */
    bool too_big;     /* the rest of this command is thrown away, and BAD its answer */
    struct sasl sasl; /* of AUTHENTICATE */
    uint32_t logins, bad_commands;
    uint64_t account;
    struct str address; /* owned */
    /* The selected mailbox, as told to the client. */
    struct box *box;
    struct box_array *array;
    size_t count;
    uint64_t modseq;
    uint32_t keyword_round; /* of the box, as told */
    bool read_only;
    struct hold hold;
    /* The command being gathered; no memory between commands. */
    struct buf command; /* complete lines and literals, as they came, without the last CRLF */
    uint64_t literal_left;
    struct str tag; /* owned; of IDLE, AUTHENTICATE and APPEND while they rest */
    struct imap_append *append;
    int64_t idle_since_ms; /* beginning of IDLE; before the log-in, of the session */
};

/* A complete command at work.  in stands behind the verb (and "UID "). */
struct imap_cmd {
    struct imap_session *s;
    struct arena *arena;
    struct str tag;
    struct scan in;
    const struct imap_verb *verb; /* NULL: one that ended while resting (IDLE, APPEND) */
    bool uid;                     /* came as UID FETCH, UID STORE ... */
};
struct imap_verb {
    struct str name;
    unsigned states; /* of enum imap_state */
    bool has_uid;    /* may come after "UID " */
    bool
        keeps_numbers; /* no EXPUNGE may be told during it: FETCH, STORE, SEARCH without UID (RFC 3501, 7.4.1) */
    enum status (*serve)(struct imap_cmd *c); /* SUSPENDS; OK also after NO or BAD was sent */
};
extern const struct imap_verb imap_verbs[];
extern const size_t imap_verb_count;
extern const struct imap_world *imap_world;

/* ---- replies (reply.c).  code: a response code without brackets, or NULL ---- */
MUST_USE SUSPENDS enum status imap_ok(struct imap_cmd *c, const char *code, const char *text);
MUST_USE SUSPENDS enum status imap_no(struct imap_cmd *c, const char *code, const char *text);
MUST_USE SUSPENDS enum status
imap_bad(struct imap_cmd *c, const char *text); /* counts; BYE after LIMIT_IMAP_BAD_COMMANDS */
/* NO with the code and words that fit a failure of the store: OVERQUOTA, LIMIT, NONEXISTENT, UNAVAILABLE ... */
MUST_USE SUSPENDS enum status imap_failed(struct imap_cmd *c, enum status e);
MUST_USE SUSPENDS enum status imap_untagged(struct imap_session *s, const char *format, ...)
    PRINTF(2, 3);
MUST_USE SUSPENDS enum status imap_bye(struct imap_session *s, const char *text);
/* Strings on the wire: quoted when it can be, else a literal; NIL when ptr is NULL. */
void imap_add_string(struct buf *b, struct str s);
void imap_add_astring(struct buf *b, struct str s);
void imap_add_mailbox(struct buf *b,
                      struct str utf8_name); /* modified UTF-7, RFC 3501 section 5.1.3 */
void imap_add_flags(struct buf *b, const struct box *box,
                    uint32_t flags);                                 /* "(\Seen $Forwarded)" */
void imap_add_set(struct buf *b, const uint32_t *numbers, size_t n); /* "1:3,5"; numbers ascend */

/* ---- updates (sync.c) ---- */
/* Tells EXPUNGE (when allowed), EXISTS and changed flags, and moves the session on. */
MUST_USE SUSPENDS enum status imap_sync(struct imap_session *s, bool may_expunge);
/* Tells keywords that are new to the client, before replies that name them. */
MUST_USE SUSPENDS enum status imap_sync_keywords(struct imap_session *s);
/* STORE: the session knows what became of these messages.  They ascend by index. */
struct imap_known {
    size_t index;
    uint32_t flags; /* as they were */
};
struct imap_told {
    const struct imap_known *messages;
    size_t count;
    bool silent; /* tell only what came out otherwise than the change alone explains */
    bool uid;    /* with UID */
    uint32_t op, mask;
};
/* As imap_sync(s, false), with the replies of STORE. */
MUST_USE SUSPENDS enum status imap_sync_stored(struct imap_session *s, const struct imap_told *t);
void imap_session_deselect(struct imap_session *s);

/* ---- life (server.c) ---- */
void imap_wake_idle(struct imap_session *s);
void imap_capability_list(const struct imap_session *s, struct buf *b); /* auth.c */
void imap_sasl_end(struct imap_session *s); /* auth.c: gives an AUTHENTICATE up */

#endif
