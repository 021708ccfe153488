/* dmarc_report_read.c - aggregate reports, read by expat.  See dmarc_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

#include <expat.h>

#include "base/scan.h"
#include "base/size.h"

enum { DEPTH_MAX = 16, PATH_BYTES_MAX = 512 };

/* Where the text of an element belongs. */
enum owner { OF_REPORT, OF_RECORD, OF_SIGNATURE };
struct place {
    const char *path;
    enum owner owner;
    size_t offset; /* of a struct str */
};

struct reading {
    XML_Parser parser;
    struct arena *a;
    enum status failed;
    unsigned depth;
    struct buf path; /* "feedback/record/row" */
    struct buf text; /* of the innermost element */
    struct dmarc_report report;
    struct report_record *record; /* the one that is open, and the last of the list */
    struct report_signature *signature;
    unsigned signatures; /* of this record */
};

#define REPORT(field)    OF_REPORT, offsetof(struct dmarc_report, field)
#define RECORD(field)    OF_RECORD, offsetof(struct report_record, field)
#define SIGNATURE(field) OF_SIGNATURE, offsetof(struct report_signature, field)
#define DKIM             "feedback/record/auth_results/dkim"

static const struct place places[] = {
    {"feedback/report_metadata/org_name", REPORT(org_name)},
    {"feedback/report_metadata/email", REPORT(email)},
    {"feedback/report_metadata/extra_contact_info", REPORT(extra_contact_info)},
    {"feedback/report_metadata/report_id", REPORT(report_id)},
    {"feedback/report_metadata/error", REPORT(error)},
    {"feedback/report_metadata/generator", REPORT(generator)},
    {"feedback/policy_published/domain", REPORT(domain)},
    {"feedback/policy_published/discovery_method", REPORT(discovery_method)},
    {"feedback/policy_published/p", REPORT(p)},
    {"feedback/policy_published/sp", REPORT(sp)},
    {"feedback/policy_published/np", REPORT(np)},
    {"feedback/policy_published/adkim", REPORT(adkim)},
    {"feedback/policy_published/aspf", REPORT(aspf)},
    {"feedback/policy_published/fo", REPORT(fo)},
    {"feedback/policy_published/testing", REPORT(testing)},
    {"feedback/record/row/source_ip", RECORD(source_ip)},
    {"feedback/record/row/policy_evaluated/disposition", RECORD(disposition)},
    {"feedback/record/row/policy_evaluated/dkim", RECORD(dkim)},
    {"feedback/record/row/policy_evaluated/spf", RECORD(spf)},
    {"feedback/record/row/policy_evaluated/reason/type", RECORD(reason)},
    {"feedback/record/row/policy_evaluated/reason/comment", RECORD(comment)},
    {"feedback/record/identifiers/header_from", RECORD(header_from)},
    {"feedback/record/identifiers/envelope_from", RECORD(envelope_from)},
    {"feedback/record/identifiers/envelope_to", RECORD(envelope_to)},
    {"feedback/record/auth_results/spf/domain", RECORD(spf_domain)},
    {"feedback/record/auth_results/spf/result", RECORD(spf_result)},
    {DKIM "/domain", SIGNATURE(domain)},
    {DKIM "/selector", SIGNATURE(selector)},
    {DKIM "/result", SIGNATURE(result)},
    {DKIM "/human_result", SIGNATURE(human_result)},
};

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes);
static void XMLCALL on_end(void *data, const XML_Char *name);
static void XMLCALL on_text(void *data, const XML_Char *text, int length);
static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal);
static void stop(struct reading *r, enum status why);
static void open_record(struct reading *r);
static void open_signature(struct reading *r);
static void keep_text(struct reading *r, struct str text);
static struct str *place_of(struct reading *r, const struct place *p);
static bool read_number(struct str text, uint64_t *out);
static enum status finish(struct reading *r);

enum status
dmarc_report_read(struct str xml, struct arena *a, struct dmarc_report *out)
{
    struct reading r = {.a = a, .path = BUF(PATH_BYTES_MAX), .text = BUF(LIMIT_REPORT_TEXT_BYTES)};

    ASSERT(a != NULL && out != NULL);
    if (xml.len > LIMIT_REPORT_BYTES)
        return ERR_LIMIT;
    r.parser = XML_ParserCreate(NULL);
    if (r.parser == NULL)
        return ERR_TEMP;
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    /* LIMIT_REPORT_BYTES fits an int. */
    enum XML_Status parsed = XML_Parse(r.parser, xml.ptr, (int)xml.len, XML_TRUE);
    XML_ParserFree(r.parser);
    enum status st = r.failed;
    if (st == OK)
        st = parsed == XML_STATUS_OK ? finish(&r) : ERR_SYNTAX;
    buf_release(&r.path);
    buf_release(&r.text);
    if (st == OK)
        *out = r.report;
    return st;
}

static enum status
finish(struct reading *r)
{
    if (r->report.org_name.ptr == NULL || r->report.domain.len == 0)
        return ERR_SYNTAX;
    return OK;
}

static void
stop(struct reading *r, enum status why)
{
    if (r->failed == OK)
        r->failed = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

/* Nothing that needs a document type is in a report, and all that expands needs one. */
static void XMLCALL
on_doctype(void *data, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id,
           int has_internal)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal;
    stop(data, ERR_DENIED);
}

static void XMLCALL
on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct reading *r = data;
    struct str local = str_of(name);
    ssize_t colon = str_rfind(local, ':');

    (void)attributes;
    if (r->failed != OK)
        return;
    local = str_skip(local, (size_t)(colon + 1));
    if (r->depth == DEPTH_MAX || r->path.len + local.len + 1 > PATH_BYTES_MAX) {
        stop(r, ERR_LIMIT);
        return;
    }
    if (r->depth++ > 0)
        buf_add_char(&r->path, '/');
    buf_add(&r->path, local);
    buf_reset(&r->text);
    if (str_eq(buf_str(&r->path), STR("feedback/record")))
        open_record(r);
    else if (str_eq(buf_str(&r->path), STR(DKIM)))
        open_signature(r);
}

/* Expat sees to it that ends belong to starts. */
static void XMLCALL
on_end(void *data, const XML_Char *name)
{
    struct reading *r = data;

    (void)name;
    if (r->failed != OK)
        return;
    keep_text(r, str_trim(buf_str(&r->text)));
    ssize_t slash = str_rfind(buf_str(&r->path), '/');
    r->path.len = slash >= 0 ? (size_t)slash : 0;
    r->depth--;
    buf_reset(&r->text);
}

static void XMLCALL
on_text(void *data, const XML_Char *text, int length)
{
    struct reading *r = data;
    struct str piece = str_from(text, (size_t)length); /* never negative */

    buf_add(&r->text, str_sub(piece, 0, LIMIT_REPORT_TEXT_BYTES - r->text.len));
}

static void
open_record(struct reading *r)
{
    if (r->report.record_count == LIMIT_REPORT_RECORDS) {
        stop(r, ERR_LIMIT);
        return;
    }
    struct report_record *fresh = ARENA_NEW(r->a, struct report_record);
    if (r->record != NULL)
        r->record->next = fresh;
    else
        r->report.records = fresh;
    r->record = fresh;
    r->signature = NULL;
    r->signatures = 0;
    r->report.record_count++;
}

static void
open_signature(struct reading *r)
{
    if (r->signatures++ == LIMIT_REPORT_SIGNATURES) {
        stop(r, ERR_LIMIT);
        return;
    }
    struct report_signature *fresh = ARENA_NEW(r->a, struct report_signature);
    if (r->signature != NULL)
        r->signature->next = fresh;
    else
        r->record->signatures = fresh;
    r->signature = fresh;
}

static void
keep_text(struct reading *r, struct str text)
{
    struct str path = buf_str(&r->path);
    uint64_t n;

    if (str_eq(path, STR("feedback/report_metadata/date_range/begin")) && read_number(text, &n))
        r->report.begin_s = n;
    else if (str_eq(path, STR("feedback/report_metadata/date_range/end")) && read_number(text, &n))
        r->report.end_s = n;
    else if (str_eq(path, STR("feedback/record/row/count")) && read_number(text, &n))
        r->record->count = n;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct str *to;
        if (!str_eq(path, str_of(places[i].path)))
            continue;
        to = place_of(r, &places[i]);
        if (to->ptr == NULL) /* the first counts */
            *to = arena_str(r->a, text);
    }
}

static struct str *
place_of(struct reading *r, const struct place *p)
{
    char *base = (char *)&r->report;

    if (p->owner == OF_RECORD)
        base = (char *)r->record;
    else if (p->owner == OF_SIGNATURE)
        base = (char *)r->signature;
    ASSERT(base != NULL);
    return (struct str *)(void *)(base + p->offset);
}

static bool
read_number(struct str text, uint64_t *out)
{
    struct scan s = scan_of(text);

    return scan_u64(&s, UINT64_MAX, out) && scan_at_end(&s);
}
