/* address_list.h - addresses in header fields (RFC 5322 section 3.4), as ENVELOPE and replies need them.
 *
 * Promises:  never fails and takes any bytes: comments, groups, routes, obsolete forms, missing commas and
 *            quotes.  Linear time, no recursion, at most ADDRESSES_MAX entries.  Groups are balanced: a
 *            group start is always followed by its end.
 * Text:      unquoted and unfolded, without CR, LF or NUL; encoded words stay as they are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_ADDRESS_LIST_H
#define MAIL_ADDRESS_LIST_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

#define ADDRESSES_MAX ((uint32_t)LIMIT_HEADER_ADDRESSES)

enum address_kind { ADDRESS_MAILBOX, ADDRESS_GROUP_START, ADDRESS_GROUP_END };

struct address {
    enum address_kind kind;
    struct str name;    /* display name, or the comment that stands for one */
    struct str route;   /* "@a,@b" of a source route, nearly always empty */
    struct str mailbox; /* local part; the group's name for ADDRESS_GROUP_START */
    struct str host;    /* domain as written; empty when there is none */
    struct str
        tail; /* raw: what stands behind the address and is passed over; other readers may prefer it */
};

struct address_cursor {
    struct scan in;
    uint32_t count;
    bool in_group;
    bool group_due; /* the end of a group is to be handed out next */
    size_t word_at; /* in text[0]: where text[1] begins */
    struct buf text[4];
};
/* value is a raw field value and must outlive the cursor. */
void address_cursor_init(struct address_cursor *c, struct str value);
void address_cursor_release(struct address_cursor *c);
#define AUTO_ADDRESS_CURSOR AUTO(address_cursor_release) struct address_cursor
/* Strings of *out are valid until the next call. */
bool address_next(struct address_cursor *c, struct address *out);

#endif
