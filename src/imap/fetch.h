/* fetch.h - what a FETCH asks for, and how each message is answered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "imap/commands.h"
#include "mail/record.h"

enum fetch_kind {
    FETCH_UID,
    FETCH_FLAGS,
    FETCH_INTERNALDATE,
    FETCH_SIZE,
    FETCH_ENVELOPE,
    FETCH_BODY, /* BODY: structure without extension data */
    FETCH_BODYSTRUCTURE,
    FETCH_MODSEQ,
    FETCH_SECTION, /* BODY[...], RFC822, RFC822.HEADER, RFC822.TEXT */
};
enum section_part {
    SECTION_ALL,
    SECTION_HEADER,
    SECTION_TEXT,
    SECTION_MIME,
    SECTION_FIELDS,
    SECTION_FIELDS_NOT
};
struct fetch_item {
    enum fetch_kind kind;
    /* of FETCH_SECTION */
    struct str label; /* as the answer names it: "BODY[1.MIME]", "RFC822.TEXT" */
    enum section_part part;
    const uint32_t *path;
    size_t path_count;
    const struct str *names; /* of HEADER.FIELDS */
    size_t name_count;
    bool has_partial;
    uint64_t offset, length; /* <offset.length> */
};
#define FETCH_ITEMS_MAX 64u
struct fetch {
    struct fetch_item items[FETCH_ITEMS_MAX];
    size_t count;
    bool sets_seen;    /* some section without PEEK */
    bool needs_record; /* more than flags, UID and size */
    bool needs_size;
    uint64_t changed_since; /* CHANGEDSINCE, 0 = none */
};
/* fetch_parse.c: the items after the set, with modifiers.  False: BAD. */
MUST_USE bool fetch_parse(struct imap_cmd *c, struct fetch *out);

/* One message of the answer. */
struct fetch_message {
    struct imap_session *s;
    uint32_t sequence;
    struct box_entry entry; /* a copy: flags as they are now */
    uint64_t size;
    int64_t received_us;
    struct record record;
    bool flags_changed; /* since they were last told, perhaps by this command: FLAGS go with it */
    bool begun;         /* a part of the answer was sent: it cannot be taken back */
};
/* fetch_section.c: literal of one section; ERR_CLOSED when it broke in the middle. */
MUST_USE SUSPENDS enum status fetch_section_write(struct fetch_message *m,
                                                  const struct fetch_item *item, struct buf *head);

#endif
