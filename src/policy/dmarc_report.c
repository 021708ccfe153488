/* dmarc_report.c - aggregate reports, written.  See dmarc_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

#include "base/encode.h"
#include "base/scan.h"

static void add_text(struct buf *b, struct str text);
static void add(struct buf *b, const char *name, struct str text);
static void add_if(struct buf *b, const char *name, struct str text);
static void add_number(struct buf *b, const char *name, uint64_t n);
static void add_metadata(struct buf *b, const struct dmarc_report *r);
static void add_policy(struct buf *b, const struct dmarc_report *r);
static void add_record(struct buf *b, const struct report_record *r);

/* RFC 9990 appendix A.  The order of elements is that of the schema. */
void
dmarc_report_write(struct buf *b, const struct dmarc_report *r)
{
    ASSERT(b != NULL && r != NULL);
    buf_add_z(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"
                 "<version>1.0</version>\n");
    add_metadata(b, r);
    add_policy(b, r);
    for (const struct report_record *record = r->records; record != NULL; record = record->next)
        add_record(b, record);
    buf_add_z(b, "</feedback>\n");
}

static void
add_metadata(struct buf *b, const struct dmarc_report *r)
{
    buf_add_z(b, "<report_metadata>\n");
    add(b, "org_name", r->org_name);
    add(b, "email", r->email);
    add_if(b, "extra_contact_info", r->extra_contact_info);
    add(b, "report_id", r->report_id);
    buf_add_z(b, "<date_range>\n");
    add_number(b, "begin", r->begin_s);
    add_number(b, "end", r->end_s);
    buf_add_z(b, "</date_range>\n");
    add_if(b, "error", r->error);
    add_if(b, "generator", r->generator);
    buf_add_z(b, "</report_metadata>\n");
}

static void
add_policy(struct buf *b, const struct dmarc_report *r)
{
    buf_add_z(b, "<policy_published>\n");
    add(b, "domain", r->domain);
    add_if(b, "discovery_method", r->discovery_method);
    add(b, "p", r->p);
    add_if(b, "sp", r->sp);
    add_if(b, "np", r->np);
    add_if(b, "fo", r->fo);
    add_if(b, "adkim", r->adkim);
    add_if(b, "aspf", r->aspf);
    add_if(b, "testing", r->testing);
    buf_add_z(b, "</policy_published>\n");
}

static void
add_record(struct buf *b, const struct report_record *r)
{
    buf_add_z(b, "<record>\n<row>\n");
    add(b, "source_ip", r->source_ip);
    add_number(b, "count", r->count);
    buf_add_z(b, "<policy_evaluated>\n");
    add(b, "disposition", r->disposition);
    add(b, "dkim", r->dkim);
    add(b, "spf", r->spf);
    if (r->reason.len > 0) {
        buf_add_z(b, "<reason>\n");
        add(b, "type", r->reason);
        add_if(b, "comment", r->comment);
        buf_add_z(b, "</reason>\n");
    }
    buf_add_z(b, "</policy_evaluated>\n</row>\n<identifiers>\n");
    add(b, "header_from", r->header_from);
    add_if(b, "envelope_from", r->envelope_from);
    add_if(b, "envelope_to", r->envelope_to);
    buf_add_z(b, "</identifiers>\n<auth_results>\n");
    for (const struct report_signature *s = r->signatures; s != NULL; s = s->next) {
        buf_add_z(b, "<dkim>\n");
        add(b, "domain", s->domain);
        add(b, "selector", s->selector);
        add(b, "result", s->result);
        add_if(b, "human_result", s->human_result);
        buf_add_z(b, "</dkim>\n");
    }
    if (r->spf_result.len > 0) {
        buf_add_z(b, "<spf>\n");
        add(b, "domain", r->spf_domain);
        buf_add_z(b, "<scope>mfrom</scope>\n");
        add(b, "result", r->spf_result);
        buf_add_z(b, "</spf>\n");
    }
    buf_add_z(b, "</auth_results>\n</record>\n");
}

static void
add(struct buf *b, const char *name, struct str text)
{
    buf_addf(b, "<%s>", name);
    add_text(b, text);
    buf_addf(b, "</%s>\n", name);
}

static void
add_if(struct buf *b, const char *name, struct str text)
{
    if (text.len > 0)
        add(b, name, text);
}

static void
add_number(struct buf *b, const char *name, uint64_t n)
{
    buf_addf(b, "<%s>%llu</%s>\n", name, (unsigned long long)n, name);
}

/* Char = #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]      XML 1.0 section 2.2; line ends and
 * tabs have no place in these texts. */
static void
add_text(struct buf *b, struct str text)
{
    struct scan s = scan_of(text);
    uint32_t c;

    while (!scan_at_end(&s)) {
        if (!scan_utf8(&s, &c)) {
            c = '?';
            s.pos++;
        }
        if (c == '&')
            buf_add_z(b, "&amp;");
        else if (c == '<')
            buf_add_z(b, "&lt;");
        else if (c == '>')
            buf_add_z(b, "&gt;");
        else if (c == '"')
            buf_add_z(b, "&quot;");
        else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0xfffe || c == 0xffff)
            buf_add_char(b, '?');
        else
            buf_add_utf8(b, c);
    }
}
