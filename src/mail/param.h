/* param.h - Content-Type, Content-Disposition and their parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231).
 *
 * Promises:  never fails; at most PARAMS_MAX parameters, the rest is left out.  The list keeps parameters as
 *            they were sent (IMAP clients decode RFC 2231 themselves); param_value() gives the decoded text.
 *            Linear time in the value, apart from the bounded number of parameters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_PARAM_H
#define MAIL_PARAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#define PARAMS_MAX        ((uint32_t)LIMIT_MIME_PARAMS)
#define PARAM_NAME_BYTES  128u
#define PARAM_VALUE_BYTES ((uint32_t)LIMIT_MIME_PARAM_BYTES)

struct param {
    struct str name;  /* as sent, perhaps with "*0*" */
    struct str value; /* unquoted, on one line */
};
struct params {
    struct param at[PARAMS_MAX];
    uint32_t count;
    bool cut;
};

struct content {
    struct str type;    /* "text", "attachment" */
    struct str subtype; /* "plain"; empty for a disposition */
    struct params params;
};

/* value is the raw value of the field.  False when there is no valid type "/" subtype: *out is as text/plain
 * then (RFC 2045 section 5.2).  Strings point into value or lie in the arena. */
bool content_type_parse(struct str value, struct arena *a, struct content *out);
/* False when there is no disposition type. */
bool content_disposition_parse(struct str value, struct arena *a, struct content *out);

/* The parameter as sent, by exact name. */
bool param_raw(const struct params *p, struct str name, struct str *value_out);
/* Its text in UTF-8: RFC 2231 continuations and charset, else RFC 2047 words, which many senders put there.
 * Without control characters. */
bool param_value(const struct params *p, struct str name, struct buf *out);

#endif
