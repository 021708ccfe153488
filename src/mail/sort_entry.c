/* sort_entry.c - keys of SORT and THREAD.  See sort_entry.h.
 *
 * entry = head sent subject-hash id-hash subject from to refs; head is version (3 bits), reply (1) and the number of
 * references (4).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/sort_entry.h"
#include "base/size.h"
#include "mail/address_list.h"
#include "mail/fold.h"
#include "mail/header.h"

enum { ENTRY_VERSION = 1, SENT_BYTES_MAX = 6 };

/* RFC 5256 section 3: FROM, TO and CC sort by the mailbox of the first address. */
static void
add_name(struct buf *b, struct str fields, enum header_id id)
{
    AUTO_BUF folded = BUF(SORT_NAME_PREFIX);
    AUTO_ADDRESS_CURSOR c = {.in = {.pos = NULL}};
    struct header_field f;
    struct address a = {.mailbox = STR_NONE};

    if (header_find(fields, header_id_name(id), &f)) {
        address_cursor_init(&c, f.value);
        while (address_next(&c, &a) && a.kind != ADDRESS_MAILBOX)
            continue;
        if (a.kind == ADDRESS_MAILBOX)
            fold_collate(a.mailbox, SORT_NAME_PREFIX, &folded);
    }
    buf_add_bytes(b, buf_str(&folded));
}

void
sort_entry_write(const struct record *r, struct instant received, struct buf *b)
{
    AUTO_BUF subject = BUF(SORT_SUBJECT_PREFIX);
    bool dated = (r->flags & RECORD_DATED) != 0;
    bool reply = (r->flags & RECORD_REPLY) != 0;
    int64_t sent_us = dated ? r->sent.time.us : received.us;
    uint32_t refs = MIN(r->ref_count, SORT_REFS_MAX);
    size_t start = b->len;

    buf_add_char(b, (char)(ENTRY_VERSION << 5 | (reply ? 16 : 0) | (int)refs));
    buf_add_zigzag(b, sent_us / 1000000);
    buf_add_be64(b, r->subject_hash);
    buf_add_be64(b, r->message_id_hash);
    fold_collate(r->subject, SORT_SUBJECT_PREFIX, &subject);
    buf_add_bytes(b, buf_str(&subject));
    add_name(b, r->fields, HEADER_FROM);
    add_name(b, r->fields, HEADER_TO);
    for (uint32_t i = 0; i < refs; i++) {
        uint32_t from_end = refs - i;
        buf_add_be64(b, record_ref(r, i == 0 ? 0 : r->ref_count - from_end));
    }
    ASSERT(b->over || b->len - start <= SORT_ENTRY_MAX);
}

enum status
sort_entry_read(struct str bytes, struct sort_entry *out)
{
    struct scan s = scan_of(bytes);
    struct sort_entry e = {.reply = false};
    uint8_t head = 0;

    if (!scan_u8(&s, &head) || head >> 5 != ENTRY_VERSION)
        return ERR_CORRUPT;
    e.reply = (head & 16) != 0;
    e.ref_count = head & 15;
    if (e.ref_count > SORT_REFS_MAX || !scan_zigzag(&s, &e.sent_s) ||
        !scan_be64(&s, &e.subject_hash) || !scan_be64(&s, &e.message_id_hash) ||
        !scan_bytes(&s, SORT_SUBJECT_PREFIX, &e.subject) ||
        !scan_bytes(&s, SORT_NAME_PREFIX, &e.from) || !scan_bytes(&s, SORT_NAME_PREFIX, &e.to))
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < e.ref_count; i++)
        if (!scan_be64(&s, &e.refs[i]))
            return ERR_CORRUPT;
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = e;
    return OK;
}
