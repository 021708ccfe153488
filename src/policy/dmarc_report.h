/* dmarc_report.h - aggregate reports of DMARC: written (RFC 9990), read (also RFC 7489 appendix C), unpacked.
 *
 * Writing:   every text is escaped; bytes that XML cannot hold become "?".
 * Reading:   a report that declares a document type or entities is refused, so that nothing can expand; elements that
 *            are not known are passed over, wherever they are; texts are cut at LIMIT_REPORT_TEXT_BYTES.
 * Unpacking: gzip, zip with one file in it, or bare XML.  What would grow beyond LIMIT_REPORT_BYTES, or
 *            LIMIT_REPORT_RATIO times its size, is refused while it is unpacked.
 * Never:     believes a report: whoever can write to the address can send one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DMARC_REPORT_H
#define POLICY_DMARC_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

struct report_signature {
    struct str domain;
    struct str selector;
    struct str result; /* words of RFC 8601 section 2.7 */
    struct str human_result;
    struct report_signature *next;
};
struct report_record {
    struct str source_ip;
    uint64_t count;
    struct str disposition; /* "none", "quarantine", "reject"; "pass" in some */
    struct str dkim;        /* "pass" or "fail": aligned or not */
    struct str spf;
    struct str reason; /* the first: "local_policy", "policy_test_mode" ... */
    struct str comment;
    struct str header_from;
    struct str envelope_from;
    struct str envelope_to;
    struct report_signature *signatures;
    struct str spf_domain;
    struct str spf_result;
    struct report_record *next;
};
struct dmarc_report {
    struct str org_name;
    struct str email;
    struct str extra_contact_info;
    struct str report_id;
    uint64_t begin_s; /* since the epoch */
    uint64_t end_s;
    struct str error;
    struct str generator;
    struct str domain;           /* whose policy */
    struct str discovery_method; /* "psl", "treewalk" */
    struct str p;
    struct str sp;
    struct str np;
    struct str adkim;
    struct str aspf;
    struct str fo;
    struct str testing; /* "y", "n" */
    struct report_record *records;
    size_t record_count;
};

/* Empty texts that may be left out are. */
void dmarc_report_write(struct buf *b, const struct dmarc_report *r);
/* What an arena needs at most. */
enum { DMARC_REPORT_ARENA = 8 * LIMIT_REPORT_BYTES };
/* ERR_SYNTAX: no XML, or no report; ERR_DENIED: a document type; ERR_LIMIT: too large, too deep, too many records. */
MUST_USE enum status dmarc_report_read(struct str xml, struct arena *a, struct dmarc_report *out);
/* ERR_SYNTAX: damaged, or not what is known; ERR_LIMIT: it would be too large. */
MUST_USE enum status dmarc_report_unpack(struct str packed, struct buf *xml);

#endif
