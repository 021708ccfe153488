/* dmarc_record.h - what a domain publishes at _dmarc.DOMAIN: RFC 9989 section 4.8, and what RFC 7489 left in the wild.
 *
 * Promises:  strings point into the text.  Whatever is wrong behind "v=DMARC1" is passed over and leaves the
 *            default; unknown tags are passed over; of a tag that stands twice the first counts.
 *            pct, rf and ri are gone: pct=0 is read as t=y, which replaced it, and any other pct as nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_DMARC_RECORD_H
#define POLICY_DMARC_RECORD_H

#include "base/status.h"
#include "base/str.h"

enum dmarc_policy { /* from mild to strict */
                    DMARC_POLICY_UNSAID,
                    DMARC_POLICY_NONE,
                    DMARC_POLICY_QUARANTINE,
                    DMARC_POLICY_REJECT,
};
const char *
dmarc_policy_name(enum dmarc_policy p); /* "none", "quarantine", "reject"; "" when unsaid */

enum dmarc_psd {
    DMARC_PSD_UNSAID, /* psd=u too */
    DMARC_PSD_YES,    /* a public suffix: organizations are one label below */
    DMARC_PSD_NO,     /* an organization, whatever stands above */
};

enum dmarc_failure {                   /* fo= */
                     DMARC_FO_ALL = 1, /* 0 */
                     DMARC_FO_ANY = 2, /* 1 */
                     DMARC_FO_DKIM = 4,
                     DMARC_FO_SPF = 8,
};

struct dmarc_record {
    bool
        usable; /* false: no valid p, and nobody to tell: the domain takes no part, but its psd counts */
    enum dmarc_policy p; /* never unsaid when usable */
    enum dmarc_policy sp;
    enum dmarc_policy np;
    enum dmarc_psd psd;
    bool strict_dkim;
    bool strict_spf;
    bool testing;     /* t=y */
    unsigned failure; /* of enum dmarc_failure */
    struct str rua;   /* lists, for dmarc_uri_next() */
    struct str ruf;
};

/* One TXT record, its strings joined.  ERR_NOT_FOUND: no DMARC record; ERR_LIMIT: longer than one may be. */
MUST_USE enum status dmarc_record_parse(struct str text, struct dmarc_record *out);
/* The next URI of rua= or ruf= that is one, without the size limit of RFC 7489 ("!10m"). */
bool dmarc_uri_next(struct str *list, struct str *uri_out);
/* The next mailto: URI: its address, decoded (RFC 6068) into room, and its size limit. */
enum { DMARC_ADDRESS_MAX = 320 };
struct dmarc_mailto {
    char room[DMARC_ADDRESS_MAX];
    struct str address;
    uint64_t bytes_max; /* 0 = it says none */
};
bool dmarc_mailto_next(struct str *list, struct dmarc_mailto *out);

#endif
