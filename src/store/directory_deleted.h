/* directory_deleted.h - removed accounts whose mail is still kept: listed, brought back, ended early.
 *
 * Promises:  an account that was brought back is never dropped, whatever was under way when it was.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_DELETED_H
#define STORE_DIRECTORY_DELETED_H

#include "store/directory.h"

struct directory_deleted {
    struct str address;
    uint64_t account;
    uint64_t quota_bytes;
    struct instant created;
    bool shut;      /* disabled or suspended when it was removed */
    int64_t ends_s; /* seconds since 1970: its mail is dropped then */
};
struct directory_deleted_page { /* those that end later than this one, in order */
    int64_t after_s;
    uint64_t after;
    size_t max;
    struct arena *a;
};
MUST_USE SUSPENDS enum status directory_deleted_list(struct directory *d,
                                                     const struct directory_deleted_page *p,
                                                     const struct directory_deleted **out,
                                                     size_t *n_out);
/* Of those that had this address the one that was removed last. */
MUST_USE SUSPENDS enum status directory_deleted_find(struct directory *d, struct str address,
                                                     struct arena *a,
                                                     struct directory_deleted *out);
/* ERR_NOT_FOUND: it is there, never was, or is gone for good. */
MUST_USE SUSPENDS enum status directory_deleted_by_id(struct directory *d, uint64_t account,
                                                      struct arena *a,
                                                      struct directory_deleted *out);
/* With its mail, password and quota, at this address of a domain that is here.  ERR_EXISTS: the address is taken.
 * ERR_NOT_FOUND: it is not deleted, or its end has begun.  ERR_TEMP: somebody is at it. */
MUST_USE SUSPENDS enum status directory_account_undelete(struct directory *d, uint64_t account,
                                                         struct str as);
/* It ends now: no way back. */
MUST_USE SUSPENDS enum status directory_account_expire(struct directory *d, uint64_t account);
/* After that: a step towards its end, which the reaper would make as well; some DIRECTORY_PURGE_MS long. */
#define DIRECTORY_PURGE_MS 200
struct directory_purged {
    bool more;
    uint64_t messages; /* that are still there */
};
MUST_USE SUSPENDS enum status directory_account_purge(struct directory *d, uint64_t account,
                                                      struct directory_purged *out);

#endif
