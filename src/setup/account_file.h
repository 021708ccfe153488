/* account_file.h - accounts as other mail servers keep them: Dovecot's passwd-file, CSV with a header, dumps of SQL.
 *
 * SQL: text dumps of MySQL, PostgreSQL and SQLite (INSERT, COPY) with tables like those of Postfixadmin, Mailcow and
 * Vimbadmin: mailbox (username, password, quota, active), alias (address, goto, active), domain (domain, active).
 * Other tables are passed over.
 * Promises:  a line or row that cannot be read is an entry that says why, and the next one is read all the same.
 *            Linear time; an entry needs no more than ACCOUNT_ENTRY_BYTES.
 * Never:     judges an address or a password hash.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_ACCOUNT_FILE_H
#define SETUP_ACCOUNT_FILE_H

#include "setup/alias_file.h"

enum account_form { ACCOUNT_UNKNOWN, ACCOUNT_PASSWD, ACCOUNT_CSV, ACCOUNT_SQL };
enum account_kind { ACCOUNT_DOMAIN, ACCOUNT_MAILBOX, ACCOUNT_ALIAS };
struct account_entry {
    enum account_kind kind;
    uint32_t line;     /* where it begins, from 1 */
    const char *fault; /* NULL; else a few words, and of the rest the name at most is set */
    struct str name;   /* address as written, or domain */
    bool inactive;     /* active = 0 and the like */
    /* of a mailbox */
    struct str hash;   /* empty: it has none */
    bool hash_by_name; /* its column says that it is one */
    bool has_quota;
    uint64_t quota_bytes; /* 0 = no limit */
    /* of an alias: with the same line and name */
    struct alias_entry alias;
};

/* What a column holds. */
enum account_field {
    FIELD_OTHER,
    FIELD_ADDRESS,
    FIELD_LOCAL,
    FIELD_DOMAIN,
    FIELD_PASSWORD, /* a hash; of a CSV perhaps in the clear: its reader knows */
    FIELD_HASH,     /* certainly */
    FIELD_QUOTA,    /* bytes, or with a unit */
    FIELD_QUOTA_MB, /* MiB */
    FIELD_ACTIVE,
    FIELD_SUSPENDED, /* the opposite */
    FIELD_GOTO,
    FIELD_COUNT
};
struct account_table {
    struct str name; /* in the text */
    uint32_t columns;
    uint8_t fields[LIMIT_IMPORT_COLUMNS]; /* enum account_field */
};
struct account_cursor {
    struct scan in;
    enum account_form form;
    uint32_t line;
    char separator;             /* of CSV */
    struct account_table table; /* whose rows are read now */
    enum account_kind kind;     /* of these rows */
    enum { ROWS_NONE, ROWS_VALUES, ROWS_COPY } rows;
    bool backslash; /* a backslash in a string takes the next byte: MySQL */
    struct account_table known[LIMIT_IMPORT_TABLES]; /* from CREATE TABLE */
    uint32_t known_count;
};

/* By how it begins. */
enum account_form account_file_form(struct str text);
void account_cursor_init(struct account_cursor *c, struct str text, enum account_form form);
/* The next entry; false at the end.  It lives in a, which may be emptied before the next one. */
#define ACCOUNT_ENTRY_BYTES (24 * (size_t)LIMIT_ALIAS_LINE_BYTES)
bool account_next(struct account_cursor *c, struct arena *a, struct account_entry *out);

/* "*:storage=1G" of Dovecot: what stands behind a limit on all mailboxes; false: it is none. */
bool account_quota_rule(struct str rule, uint64_t *bytes_out);

#endif
