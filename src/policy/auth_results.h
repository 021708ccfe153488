/* auth_results.h - Authentication-Results (RFC 8601) and ARC-Authentication-Results (RFC 8617): written, read, and the
 * forged ones recognised.
 *
 * Writing:   whatever strangers put into a value, comment or reason stays inside it: quoted where it must be, control
 *            bytes become "?", and so do bytes beyond ASCII unless the message may have them.  Values that are longer
 *            than LIMIT_AUTH_VALUE_BYTES are left out.  Lines are folded at 78 columns where they can be.
 * Reading:   the grammar of RFC 8601 section 2.2, and three things that many write: a value that is more than a
 *            token without quotes, a property without its type ("action=none"), a semicolon at the end.
 *            What is read and written again is read as the same.
 * Ours:      whoever reads the field may be more generous than we are, so that a field that cannot be read counts as
 *            one that claims to be ours.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_AUTH_RESULTS_H
#define POLICY_AUTH_RESULTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

#define AUTH_RESULTS_FIELD     "Authentication-Results"
#define ARC_AUTH_RESULTS_FIELD "ARC-Authentication-Results"

/* type.name=value: "smtp.mailfrom=a@example.com" */
struct auth_property {
    struct str type; /* "smtp", "header", "body", "policy"; empty as read from some */
    struct str name;
    struct str value;
};
struct auth_result {
    struct str
        method; /* "spf", "dkim", "dmarc", "arc", "iprev", "auth"; keywords, like all but values */
    struct str result;  /* "pass" */
    struct str reason;  /* may be empty */
    struct str comment; /* written only: comments are not read */
    struct auth_property properties[LIMIT_AUTH_PROPERTIES];
    size_t property_count;
};
/* Nothing when the value is empty, or there is no room. */
void auth_result_add(struct auth_result *r, struct str type, struct str name, struct str value);

struct auth_results {
    struct str authserv_id; /* who says so */
    uint32_t instance;      /* i= of ARC; 0: Authentication-Results */
    bool utf8;              /* the message may have UTF-8 in its header (RFC 6532) */
    const struct auth_result *at;
    size_t count; /* 0: "none", nothing was examined */
};
/* The whole field with its line end. */
void auth_results_write(struct buf *b, const struct auth_results *r);

struct auth_reader {
    struct scan in;
    struct arena *a;
    struct str authserv_id; /* unquoted */
    uint32_t instance;
    uint32_t results; /* handed out */
};
/* value: of the field, still folded.  ERR_SYNTAX, or ERR_LIMIT when it is too long. */
MUST_USE enum status auth_results_open(struct str value, bool arc, struct arena *a,
                                       struct auth_reader *out);
/* ERR_NOT_FOUND after the last one; ERR_SYNTAX and ERR_LIMIT, after which there is nothing more to read. */
MUST_USE enum status auth_results_next(struct auth_reader *r, struct auth_result *out);

/* Does the value of such a field claim to be said by this authserv-id? */
bool auth_results_claims(struct str value, struct str authserv_id);

#endif
