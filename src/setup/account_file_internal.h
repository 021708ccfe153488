/* account_file_internal.h - shared by the readers of accounts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_ACCOUNT_FILE_INTERNAL_H
#define SETUP_ACCOUNT_FILE_INTERNAL_H

#include "setup/account_file.h"

/* One row, by what its columns hold. */
struct account_record {
    enum account_kind kind;
    uint32_t line;
    const char *fault;
    struct str values[FIELD_COUNT]; /* ptr NULL: there is no such column, or it is NULL */
};
/* Of a column's name, in tables of this kind. */
enum account_field account_field_of(enum account_kind kind, struct str name);
void account_entry_of(const struct account_record *r, struct arena *a, struct account_entry *out);

/* ---- account_sql.c ---- */
/* The next row of a table that tells of accounts; false at the end. */
bool account_sql_next(struct account_cursor *c, struct arena *a, struct account_record *out);
bool account_sql_is(struct str text);

#endif
