/* suffixes.h - below which names organizations register theirs: the Public Suffix List, read by libpsl.
 *
 * Promises:  names go in and come out in normal form (mail/domain.h).  A name whose top label the list does not
 *            know is registered below that label, as the list's own default rule says.
 * Never:     opens a file: who has one reads it and hands its bytes over, before it enters its jail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SUFFIXES_H
#define POLICY_SUFFIXES_H

#include "base/status.h"
#include "base/str.h"

struct psl_ctx_st; /* libpsl's */

/* The list that libpsl was built with; NULL when it was built with none. */
const struct psl_ctx_st *suffixes_built_in(void);
/* A newer one, as text or in the packed form of the package `publicsuffix`.  ERR_SYNTAX: it holds no suffix. */
MUST_USE enum status suffixes_read(struct str list, struct psl_ctx_st **out);
void suffixes_free(struct psl_ctx_st **list);

/* "example.co.uk" of "a.b.example.co.uk", a tail of name; empty when name is itself a public suffix. */
struct str suffixes_registered(const struct psl_ctx_st *list, struct str name);

#endif
