/* sts.h - MTA-STS: the record that says there is a policy, and the policy.
 *
 * Owns:      nothing; strings lie in the bytes or the arena.
 * Promises:  a policy has at most LIMIT_STS_HOSTS patterns, which are names of hosts in lower case; one that is in
 *            force or tested has at least one.  Fields that nobody knows are passed over, as RFC 8461 section 3.2 asks.
 * Never:     suspends, looks anything up.
 * RFC:       8461 sections 3.1, 3.2, 4.1.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_STS_H
#define SMTP_STS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/status.h"

#define STS_ID_MAX 32u

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };
struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age_s;
    const struct str *hosts; /* patterns: a name, or "*." and a name */
    size_t count;
};
/* text: a TXT record.  False: it is not about MTA-STS; true with an empty id: it is, and wrong. */
MUST_USE bool sts_record_read(struct str text, struct str *id_out);
/* The id of the one record that counts; false: none, or several (section 3.1). */
MUST_USE bool sts_record_choose(const struct str *texts, size_t n, struct str *id_out);
/* ERR_SYNTAX: it is none.  ERR_LIMIT: too many hosts. */
MUST_USE enum status sts_policy_read(struct str text, struct arena *a, struct sts_policy *out);
/* What sts_policy_read() reads as the same. */
void sts_policy_write(const struct sts_policy *p, struct buf *b);
bool sts_covers(const struct sts_policy *p, struct str host);

#endif
