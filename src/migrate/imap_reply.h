/* imap_reply.h - what an IMAP server says, one response at a time.
 *
 * A response is gathered before it is read: its lines without the last CRLF, literals in their place as "{n}" CRLF and
 * n bytes.  Who gathers may put "{0}" CRLF for a body that he keeps elsewhere.
 *
 * Promises:  pure, linear, bounded by the text.  Strings point into it or into the arena.  What is in the grammar and
 *            says nothing to us is IMAP_REPLY_OTHER; what is not in it is ERR_SYNTAX.
 * RFC:       3501 section 7, 9051, 2342 (NAMESPACE), 2971 (ID), 5258 and 6154 (LIST), 7162 (MODSEQ is passed over).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_IMAP_REPLY_H
#define MIGRATE_IMAP_REPLY_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/time.h"

enum imap_reply_kind {
    IMAP_REPLY_OTHER,
    IMAP_REPLY_TAGGED,
    IMAP_REPLY_MORE,      /* "+": go on */
    IMAP_REPLY_CONDITION, /* untagged OK, NO, BAD, BYE, PREAUTH */
    IMAP_REPLY_CAPABILITY,
    IMAP_REPLY_LIST, /* also LSUB */
    IMAP_REPLY_NAMESPACE,
    IMAP_REPLY_EXISTS,
    IMAP_REPLY_EXPUNGE,
    IMAP_REPLY_FETCH,
    IMAP_REPLY_ID
};
enum imap_condition { IMAP_SAYS_OK, IMAP_SAYS_NO, IMAP_SAYS_BAD, IMAP_SAYS_BYE, IMAP_SAYS_PREAUTH };
enum imap_has { /* of what it can, that which is of use */
                IMAP_HAS_STARTTLS = 1 << 0,
                IMAP_HAS_LOGINDISABLED = 1 << 1,
                IMAP_HAS_AUTH_PLAIN = 1 << 2,
                IMAP_HAS_SASL_IR = 1 << 3,
                IMAP_HAS_NAMESPACE = 1 << 4,
                IMAP_HAS_LIST_EXTENDED = 1 << 5,
                IMAP_HAS_SPECIAL_USE = 1 << 6,
                IMAP_HAS_ID = 1 << 7,
                IMAP_HAS_ANY = 1 << 8 /* it was told at all */
};
struct imap_reply_list {
    bool selectable, subscribed;
    uint8_t special; /* of store.ipc; 0 = none, or none that has a place here */
    char separator;  /* 0 = there are no levels */
    struct str raw;  /* the name, as it is to be sent back */
};
#define IMAP_REPLY_SPACES 16u /* further ones are passed over */
struct imap_reply_space {
    struct str prefix;
    char separator;
    bool personal;
};
enum imap_fetched {
    IMAP_FETCHED_UID = 1,
    IMAP_FETCHED_FLAGS = 2,
    IMAP_FETCHED_SIZE = 4,
    IMAP_FETCHED_DATE = 8,
    IMAP_FETCHED_BODY = 16
};
#define IMAP_REPLY_KEYWORDS 64u /* of one message; further ones are counted as lost */
struct imap_reply_fetch {
    unsigned has; /* enum imap_fetched */
    uint32_t uid;
    uint32_t flags; /* enum migrate_flags */
    const struct str *keywords;
    size_t keyword_count, keywords_lost; /* lost: no words that a mailbox here can have */
    uint64_t size;
    struct instant received;
    struct str body; /* ptr NULL: NIL */
};
struct imap_reply {
    enum imap_reply_kind kind;
    struct str tag;
    enum imap_condition condition; /* TAGGED, CONDITION */
    struct str code;               /* "UIDNEXT" of [UIDNEXT 5]; empty = none */
    uint64_t number;               /* of the code; EXISTS, EXPUNGE, FETCH */
    unsigned has;                  /* enum imap_has: CAPABILITY, and such a code */
    struct str text;               /* for people */
    struct imap_reply_list list;
    const struct imap_reply_space *spaces;
    size_t space_count;
    struct imap_reply_fetch fetch;
    struct str program; /* ID: how the server calls itself */
};
/* An arena of this budget is enough for a text of n bytes. */
#define IMAP_REPLY_ARENA(n) (8 * (size_t)(n) + 65536)
MUST_USE enum status imap_reply_read(struct str text, struct arena *a, struct imap_reply *out);

/* A name of LIST without the prefix of its namespace, in levels, to one of here: UTF-8 (from modified UTF-7, or as it
 * is), "/" between levels, "INBOX" however it is written.  ERR_SYNTAX: it can be no mailbox here. */
MUST_USE enum status imap_reply_name(struct str raw, char separator, struct arena *a,
                                     struct str *name_out);

#endif
