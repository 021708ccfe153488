/* dmarc_row.c - see dmarc_row.h.  row = version(u8) texts signatures(u8) domain selector result ..., each text with its
 * length.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_row.h"

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"

enum { VERSION = 1, TEXT_MAX = 255, TEXTS = 17, SIGNATURES_MAX = 8 };

/* In the order in which they are kept. */
static void
texts_of(struct dmarc_report *p, struct report_record *r, struct str *texts[TEXTS])
{
    struct str *const all[] = {
        &p->domain,      &p->p,         &p->sp,      &p->np,          &p->adkim,
        &p->aspf,        &p->fo,        &p->testing, &r->source_ip,   &r->dkim,
        &r->disposition, &r->spf,       &r->reason,  &r->header_from, &r->envelope_from,
        &r->spf_domain,  &r->spf_result};

    static_assert(COUNT_OF(all) == TEXTS, "all of them");
    mem_copy(texts, all, sizeof(all));
}

static size_t
size_of(const struct report_signature *s)
{
    return 3 * 2 + MIN(s->domain.len, (size_t)TEXT_MAX) + MIN(s->selector.len, (size_t)TEXT_MAX) +
           MIN(s->result.len, (size_t)TEXT_MAX);
}

static void
add(struct buf *b, struct str text)
{
    buf_add_bytes(b, str_sub(text, 0, TEXT_MAX));
}

void
dmarc_row_write(const struct dmarc_report *policy, const struct report_record *r, struct buf *b)
{
    struct dmarc_report p = *policy;
    struct report_record record = *r;
    struct str *texts[TEXTS];
    size_t room = LIMIT_TALLY_ROW_BYTES - 2, n = 0;

    texts_of(&p, &record, texts);
    buf_add_char(b, VERSION);
    for (size_t i = 0; i < TEXTS; i++) {
        size_t left = MIN(room, (size_t)TEXT_MAX + 2);
        struct str text = str_sub(*texts[i], 0, left > 2 ? left - 2 : 0);
        add(b, text);
        room -= MIN(room, text.len + 2);
    }
    for (const struct report_signature *s = r->signatures; s != NULL; s = s->next) {
        if (n == SIGNATURES_MAX || size_of(s) > room)
            break;
        room -= size_of(s);
        n++;
    }
    buf_add_char(b, (char)n); /* <= 8 */
    for (const struct report_signature *s = r->signatures; n > 0; s = s->next, n--) {
        add(b, s->domain);
        add(b, s->selector);
        add(b, s->result);
    }
}

enum status
dmarc_row_read(struct str row, struct arena *a, struct dmarc_report *policy_out,
               struct report_record *r_out)
{
    struct dmarc_report p = {0};
    struct report_record r = {0};
    struct report_signature **last = &r.signatures;
    struct scan s = scan_of(row);
    struct str *texts[TEXTS];
    uint8_t version, n;

    texts_of(&p, &r, texts);
    if (!scan_u8(&s, &version) || version != VERSION)
        return ERR_CORRUPT;
    for (size_t i = 0; i < TEXTS; i++)
        if (!scan_bytes(&s, TEXT_MAX, texts[i]))
            return ERR_CORRUPT;
    if (!scan_u8(&s, &n) || n > SIGNATURES_MAX)
        return ERR_CORRUPT;
    for (; n > 0; n--) {
        struct report_signature *sig = ARENA_NEW(a, struct report_signature);
        if (!scan_bytes(&s, TEXT_MAX, &sig->domain) || !scan_bytes(&s, TEXT_MAX, &sig->selector) ||
            !scan_bytes(&s, TEXT_MAX, &sig->result))
            return ERR_CORRUPT;
        *last = sig;
        last = &sig->next;
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *policy_out = p;
    *r_out = r;
    return OK;
}
