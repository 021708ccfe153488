/* report.h - reports to other domains: counted as things happen (store/tally.h), told once a day.
 *
 * After midnight UTC, spread over REPORT_SPREAD_S by the domain's name, what was counted of it becomes one report of
 * each kind.  Its rows are dropped when it is in the queue: a crash in between sends it twice, under one report id.
 * What could not be told within LIMIT_REPORT_DAYS is forgotten.
 * Never about reports: a report of others that passes DMARC is not counted, and ours go out with a null sender.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_REPORT_H
#define ROLE_STORE_REPORT_H

#include "ipc/cook_ipc.h"
#include "ipc/store_ipc.h"
#include "role/store/store.h"
#include "store/tally.h"

/* Is anything to be counted? */
bool store_report_is_on(const struct store *s);
/* Once a second: what is due is told, beside the rest. */
void store_report_period(struct store *s);

/* ---- role/store/report.c, for each kind of report ---- */
enum store_report_end {
    REPORT_SENT,
    REPORT_NOBODY, /* there is nobody to tell by now, or nobody who may be told */
    REPORT_LATER,  /* DNS does not answer */
};
/* What was counted of a domain on a day, and when it was. */
struct store_report {
    struct tally_group group;
    const struct tally_row *rows;
    size_t row_count;
    int64_t begin_s, end_s; /* both are of it */
    struct str id;          /* of dot-atom bytes and "@": the same when it is sent twice */
};
/* The domain that sends reports, by its postmaster. */
struct str store_report_from(const struct store *s);
/* TXT of a name.  ERR_NOT_FOUND: there is none.  ERR_TEMP: DNS does not answer. */
struct store_report_texts {
    const struct str *at;
    size_t count;
};
MUST_USE SUSPENDS enum status store_report_ask(struct store *s, struct str name, struct arena *a,
                                               struct store_report_texts *out);
struct store_report_letter {
    struct str to;
    struct str what;                    /* of the log: "dmarc", "tls" */
    struct str extension, type;         /* of the file: ".xml.gz", "application/gzip" */
    struct str fields, multipart, text; /* of struct report_mail; fields may be empty */
    struct str packed;
    uint64_t bytes_max; /* 0 = no limit */
    bool tls_optional;  /* it goes whatever DANE and MTA-STS say of the way there */
};
/* To the queue, as our own mail.  ERR_LIMIT: larger than it may be.  ERR_SYNTAX: nobody can be written to there. */
MUST_USE SUSPENDS enum status store_report_send(struct store *s, const struct store_report *r,
                                                const struct store_report_letter *l,
                                                struct arena *a);
/* Nobody gets this one, or not there. */
void store_report_skipped(const struct store_report *r, struct str to, const char *reason);

/* ---- role/store/dmarc.c ---- */
/* A message was judged, whatever becomes of it. */
void store_dmarc_count(struct store *s, const struct store_deliver *req,
                       const struct cook_verdict *v);
MUST_USE SUSPENDS enum status store_dmarc_tell(struct store *s, const struct store_report *r,
                                               struct arena *a, enum store_report_end *out);

#endif
