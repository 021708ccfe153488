/* facts.c - record, sort entry, thread keys and the facts that delivery decides by.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cook/facts.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "mail/address_list.h"
#include "mail/canon.h"
#include "mail/domain.h"
#include "mail/header.h"
#include "mail/record.h"
#include "mail/sort_entry.h"
#include "mail/subject.h"
#include "policy/body_hash.h"

/* Bounds of cook.ipc. */
enum { REFERENCES_MAX = 64, DKIM_NAMES_MAX = 2048, DKIM_HEADERS_MAX = 65536, MESSAGE_ID_MAX = 255 };

static uint32_t
count_fields(const struct header_index *x, enum header_id id)
{
    uint32_t n = 0;

    for (uint32_t at = x->first[id]; at != 0; at = x->at[at - 1].next)
        n++;
    return n;
}

/* The one domain that says who wrote it: exactly one From field with exactly one mailbox. */
static struct str
find_from_domain(const struct header_index *x, struct arena *a)
{
    AUTO_ADDRESS_CURSOR c = {0};
    AUTO_BUF domain = BUF(DOMAIN_MAX);
    struct address at;
    uint32_t mailboxes = 0;

    if (count_fields(x, HEADER_FROM) != 1)
        return STR("");
    address_cursor_init(&c, header_value(x, HEADER_FROM));
    while (address_next(&c, &at)) {
        if (at.kind != ADDRESS_MAILBOX)
            continue;
        buf_reset(&domain);
        if (++mailboxes > 1 || domain_normalise(at.host, &domain) != OK)
            return STR("");
    }
    return domain.len == 0 ? STR("") : arena_str(a, buf_str(&domain));
}

/* What is no mark of anybody's is passed over. */
static void
find_marks(const struct header_index *x, struct arena *a, struct cook_facts *out)
{
    uint64_t *marks = ARENA_ARRAY(a, uint64_t, LIMIT_FORWARD_MARKS);
    size_t n = 0;

    for (uint32_t i = 0; i < x->count && n < LIMIT_FORWARD_MARKS; i++) {
        const struct header_field *f = &x->at[i].field;
        AUTO_BUF raw = BUF(sizeof(uint64_t));
        if (!str_eq_nocase(f->name, STR(HEADER_FORWARDED)))
            continue;
        if (hex_decode(str_trim(f->value), &raw) == OK && raw.len == sizeof(uint64_t))
            marks[n++] = be64_get(raw.ptr);
    }
    out->forward_marks = marks;
    out->forward_marks_count = n;
}

static struct str
keep(struct arena *a, const struct buf *b)
{
    return b->len == 0 ? STR("") : arena_str(a, buf_str(b));
}

static void
find_thread(const struct record *r, struct arena *a, struct cook_facts *out)
{
    size_t n = MIN((size_t)r->ref_count, (size_t)REFERENCES_MAX);
    uint64_t *refs = ARENA_ARRAY(a, uint64_t, n + 1);

    for (size_t i = 0; i < n; i++)
        refs[i] = record_ref(r, (uint32_t)i);
    out->message_id_hash = r->message_id_hash;
    out->reference_hashes = refs;
    out->reference_hashes_count = n;
}

/* A record that does not fit is left out: FETCH then says that it cannot describe the message, and its bytes are
 * all there. */
static void
find_record(struct str message, struct instant received, struct arena *a, struct cook_facts *out)
{
    AUTO_BUF record = BUF(LIMIT_RECORD_BYTES);
    AUTO_BUF sort = BUF(SORT_ENTRY_MAX);
    struct mime_tree tree;
    struct record r;

    mime_parse(message, a, &tree);
    if (record_write(message, &tree, a, &record) != OK || record_open(buf_str(&record), &r) != OK)
        return;
    out->record = keep(a, &record);
    sort_entry_write(&r, received, &sort);
    out->sort = keep(a, &sort);
    find_thread(&r, a, out);
}

/* What a signature is made over (RFC 6376 section 3.7).  A header too large for it goes unsigned. */
static void
find_dkim(struct str message, size_t header_len, struct arena *a, struct cook_dkim_facts *out)
{
    AUTO_BUF names = BUF(DKIM_NAMES_MAX);
    AUTO_BUF headers = BUF(DKIM_HEADERS_MAX);
    unsigned char hash[SIG_DIGEST];
    struct str header = str_sub(message, 0, header_len);

    dkim_names_write(header, a, &names);
    dkim_header_input(header, buf_str(&names), STR_NONE, &headers);
    if (buf_status(&names) != OK || buf_status(&headers) != OK)
        return;
    body_hash_relaxed(str_skip(message, header_len), hash);
    out->headers = keep(a, &headers);
    out->header_names = keep(a, &names);
    out->body_hash = arena_str(a, str_from((const char *)hash, sizeof(hash)));
}

void
facts_find(struct str message, bool want_dkim, struct instant received, struct arena *a,
           struct cook_facts *out)
{
    struct header_index x;
    size_t header = header_block_len(message);

    *out = (struct cook_facts){.record = STR(""), .sort = STR(""), .from_domain = STR("")};
    header_index(str_sub(message, 0, header), a, &x);
    out->from_domain = find_from_domain(&x, a);
    out->received_count = count_fields(&x, HEADER_RECEIVED);
    find_marks(&x, a, out);
    out->header_bytes = header;
    out->eight_bit = !str_is_ascii(message);
    out->message_id = message_id_of(header_value(&x, HEADER_MESSAGE_ID));
    if (out->message_id.len == 0 || out->message_id.len > MESSAGE_ID_MAX ||
        !utf8_valid(out->message_id))
        out->message_id = STR("");
    find_record(message, received, a, out);
    if (want_dkim)
        find_dkim(message, header, a, &out->dkim);
}
