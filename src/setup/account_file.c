/* account_file.c - passwd-files and CSV; what the columns of a row mean.
 *
 * Facts: Dovecot's pages "Passwd-file" and "Quota"; RFC 4180.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/size.h"
#include "setup/account_file_internal.h"

enum { PASSWD_FIELDS = 7 /* before the extra ones */, LOOK_BYTES = 65536 };

static bool passwd_next(struct account_cursor *c, struct arena *a, struct account_record *out);
static void read_extra(struct str extra, struct account_record *out);
static bool csv_next(struct account_cursor *c, struct arena *a, struct account_record *out);
static bool csv_header(struct account_cursor *c);
static bool csv_value(struct account_cursor *c, struct buf *out, const char **fault);
static bool read_line(struct account_cursor *c, struct str *out);
static bool is_empty(struct str line);
static char separator_of(struct str header);
static bool read_size(struct str text, uint64_t unit, uint64_t *out);
static bool is_off(struct str text);
static void read_targets(const struct account_record *r, struct arena *a,
                         struct account_entry *out);

static const struct {
    struct str name;
    enum account_field field;
} mailbox_columns[] =
    {
        {STR("username"), FIELD_ADDRESS},    {STR("email"), FIELD_ADDRESS},
        {STR("address"), FIELD_ADDRESS},     {STR("mail"), FIELD_ADDRESS},
        {STR("user"), FIELD_ADDRESS},        {STR("mailbox"), FIELD_ADDRESS},
        {STR("local_part"), FIELD_LOCAL},    {STR("localpart"), FIELD_LOCAL},
        {STR("domain"), FIELD_DOMAIN},       {STR("password"), FIELD_PASSWORD},
        {STR("password_hash"), FIELD_HASH},  {STR("hash"), FIELD_HASH},
        {STR("crypt"), FIELD_HASH},          {STR("quota"), FIELD_QUOTA},
        {STR("quota_bytes"), FIELD_QUOTA},   {STR("quota_mb"), FIELD_QUOTA_MB},
        {STR("active"), FIELD_ACTIVE},       {STR("enabled"), FIELD_ACTIVE},
        {STR("suspended"), FIELD_SUSPENDED},
},
  alias_columns[] =
      {
          {STR("address"), FIELD_ADDRESS}, {STR("source"), FIELD_ADDRESS},
          {STR("goto"), FIELD_GOTO},       {STR("destination"), FIELD_GOTO},
          {STR("active"), FIELD_ACTIVE},   {STR("enabled"), FIELD_ACTIVE},
},
  domain_columns[] = {
      {STR("domain"), FIELD_DOMAIN},      {STR("name"), FIELD_DOMAIN},
      {STR("active"), FIELD_ACTIVE},      {STR("enabled"), FIELD_ACTIVE},
      {STR("backupmx"), FIELD_SUSPENDED},
};

enum account_form
account_file_form(struct str text)
{
    struct account_cursor c;
    struct str line;

    if (account_sql_is(text))
        return ACCOUNT_SQL;
    account_cursor_init(&c, str_sub(text, 0, LOOK_BYTES), ACCOUNT_CSV);
    if (c.table.columns > 0)
        return ACCOUNT_CSV;
    account_cursor_init(&c, str_sub(text, 0, LOOK_BYTES), ACCOUNT_PASSWD);
    while (read_line(&c, &line))
        if (!is_empty(line))
            return str_find(line, ':') >= 0 ? ACCOUNT_PASSWD : ACCOUNT_UNKNOWN;
    return ACCOUNT_UNKNOWN;
}

void
account_cursor_init(struct account_cursor *c, struct str text, enum account_form form)
{
    *c = (struct account_cursor){.in = scan_of(text), .form = form, .kind = ACCOUNT_MAILBOX};
    (void)scan_str(&c->in, STR("\xef\xbb\xbf")); /* what programs of Windows put before UTF-8 */
    if (form == ACCOUNT_CSV && !csv_header(c))
        c->in.pos = c->in.end;
    if (form == ACCOUNT_SQL) {
        struct str head = str_sub(text, 0, LOOK_BYTES);
        c->backslash = str_find(head, '`') >= 0 || str_find_nocase(head, STR("mysql")) >= 0 ||
                       str_find_nocase(head, STR("mariadb")) >= 0;
    }
}

bool
account_next(struct account_cursor *c, struct arena *a, struct account_entry *out)
{
    struct account_record r = {.kind = ACCOUNT_MAILBOX};
    bool found = false;

    switch (c->form) {
    case ACCOUNT_UNKNOWN: break;
    case ACCOUNT_PASSWD: found = passwd_next(c, a, &r); break;
    case ACCOUNT_CSV: found = csv_next(c, a, &r); break;
    case ACCOUNT_SQL: found = account_sql_next(c, a, &r); break;
    }
    if (found)
        account_entry_of(&r, a, out);
    return found;
}

/* ---- passwd-file ---- */

/* user ":" password [":" uid ":" gid ":" gecos ":" home ":" shell [":" extra fields, with ":" in them]] */
static bool
passwd_next(struct account_cursor *c, struct arena *a, struct account_record *out)
{
    struct str line, field;

    (void)a;
    do {
        if (!read_line(c, &line))
            return false;
    } while (is_empty(line));
    out->line = c->line;
    struct str rest = line;
    for (int i = 0; i < PASSWD_FIELDS && str_split(&rest, ':', &field); i++) {
        if (i == 0)
            out->values[FIELD_ADDRESS] = str_trim(field);
        if (i == 1)
            out->values[FIELD_PASSWORD] = str_trim(field);
    }
    if (line.len > LIMIT_ALIAS_LINE_BYTES)
        out->fault = "the line is too long";
    else if (str_find(line, ':') < 0)
        out->fault = "there is no \":\" behind the name";
    read_extra(rest, out);
    return true;
}

static void
read_extra(struct str extra, struct account_record *out)
{
    static const struct str rule = STR("userdb_quota_rule="),
                            size = STR("userdb_quota_storage_size=");
    struct str word;

    while (str_split(&extra, ' ', &word)) {
        word = str_trim(word);
        if (str_eq(word, STR("nologin")))
            out->values[FIELD_ACTIVE] = STR("0");
        else if (str_starts(word, rule))
            out->values[FIELD_QUOTA] = str_skip(word, rule.len);
        else if (str_starts(word, size))
            out->values[FIELD_QUOTA] = str_skip(word, size.len);
    }
}

bool
account_quota_rule(struct str rule, uint64_t *bytes_out)
{
    struct str limits = rule, limit;

    if (!str_starts(limits, STR("*:")))
        return false;
    limits = str_skip(limits, 2);
    while (str_split(&limits, ':', &limit)) {
        if (str_starts(limit, STR("storage=")))
            return read_size(str_skip(limit, 8), 1024, bytes_out);
        if (str_starts(limit, STR("bytes=")))
            return read_size(str_skip(limit, 6), 1, bytes_out);
    }
    return false;
}

/* ---- CSV ---- */

/* *( value separator ) value; the names in the first line say what is what. */
static bool
csv_header(struct account_cursor *c)
{
    AUTO_BUF value = BUF(256);
    struct scan ahead = c->in;
    const char *fault = NULL;
    struct str line;
    bool address = false, more = true;

    if (!scan_until(&ahead, '\n', &line))
        line = scan_rest(&ahead);
    c->separator = separator_of(line);
    c->line = 1;
    while (more && c->table.columns < LIMIT_IMPORT_COLUMNS) {
        buf_reset(&value);
        more = csv_value(c, &value, &fault);
        enum account_field f = account_field_of(ACCOUNT_MAILBOX, str_trim(buf_str(&value)));
        address = address || f == FIELD_ADDRESS || f == FIELD_LOCAL;
        c->table.fields[c->table.columns++] = (uint8_t)f; /* < FIELD_COUNT */
    }
    if (!address || more || fault != NULL)
        c->table.columns = 0;
    return c->table.columns > 0;
}

static bool
csv_next(struct account_cursor *c, struct arena *a, struct account_record *out)
{
    AUTO_BUF value = BUF(LIMIT_ALIAS_LINE_BYTES);
    uint32_t column = 0;
    bool more = true;

    while (!scan_at_end(&c->in) && (*c->in.pos == '\n' || *c->in.pos == '\r')) {
        c->line += *c->in.pos == '\n';
        c->in.pos++;
    }
    if (scan_at_end(&c->in))
        return false;
    out->line = c->line;
    for (; more; column++) {
        buf_reset(&value);
        more = csv_value(c, &value, &out->fault);
        if (buf_status(&value) != OK)
            out->fault = "a value is too long";
        enum account_field f =
            column < c->table.columns ? (enum account_field)c->table.fields[column] : FIELD_OTHER;
        if (f != FIELD_OTHER && out->fault == NULL)
            out->values[f] = arena_str(a, str_trim(buf_str(&value)));
    }
    if (out->fault == NULL && column != c->table.columns)
        out->fault = "there are more values, or fewer, than names in the first line";
    return true;
}

/* Is there another one in this row?  A value in quotes may hold separators and line ends, and quotes twice. */
static bool
csv_value(struct account_cursor *c, struct buf *out, const char **fault)
{
    struct scan *s = &c->in;
    bool quoted = scan_char(s, '"');

    for (; !scan_at_end(s); s->pos++) {
        char b = *s->pos;
        if (quoted && b == '"') {
            if (scan_left(s) < 2 || s->pos[1] != '"') {
                quoted = false;
                continue;
            }
            s->pos++;
        } else if (!quoted && (b == c->separator || b == '\n')) {
            c->line += b == '\n';
            s->pos++;
            return b == c->separator;
        }
        c->line += b == '\n';
        buf_add_char(out, b);
    }
    if (quoted)
        *fault = "a quote is not closed";
    return false;
}

static char
separator_of(struct str header)
{
    static const char separators[] = ",;\t";

    for (const char *p = separators; *p != '\0'; p++)
        if (str_find(header, *p) >= 0)
            return *p;
    return ',';
}

/* ---- rows ---- */

enum account_field
account_field_of(enum account_kind kind, struct str name)
{
    size_t n = kind == ACCOUNT_MAILBOX ? COUNT_OF(mailbox_columns)
               : kind == ACCOUNT_ALIAS ? COUNT_OF(alias_columns)
                                       : COUNT_OF(domain_columns);

    for (size_t i = 0; i < n; i++) {
        struct str known = kind == ACCOUNT_MAILBOX ? mailbox_columns[i].name
                           : kind == ACCOUNT_ALIAS ? alias_columns[i].name
                                                   : domain_columns[i].name;
        if (str_eq_nocase(known, name))
            return kind == ACCOUNT_MAILBOX ? mailbox_columns[i].field
                   : kind == ACCOUNT_ALIAS ? alias_columns[i].field
                                           : domain_columns[i].field;
    }
    return FIELD_OTHER;
}

void
account_entry_of(const struct account_record *r, struct arena *a, struct account_entry *out)
{
    const struct str *v = r->values;

    *out = (struct account_entry){.kind = r->kind, .line = r->line, .fault = r->fault};
    out->name = r->kind == ACCOUNT_DOMAIN ? v[FIELD_DOMAIN] : v[FIELD_ADDRESS];
    if (out->name.len == 0 && r->kind == ACCOUNT_MAILBOX && v[FIELD_LOCAL].len > 0 &&
        v[FIELD_DOMAIN].len > 0)
        out->name = arena_printf(a, "%.*s@%.*s", STR_FMT(v[FIELD_LOCAL]), STR_FMT(v[FIELD_DOMAIN]));
    out->inactive = (v[FIELD_ACTIVE].ptr != NULL && is_off(v[FIELD_ACTIVE])) ||
                    (v[FIELD_SUSPENDED].ptr != NULL && !is_off(v[FIELD_SUSPENDED]));
    if (out->fault == NULL && out->name.len == 0)
        out->fault = "there is no name";
    if (out->fault != NULL)
        return;
    if (r->kind == ACCOUNT_ALIAS) {
        read_targets(r, a, out);
        return;
    }
    out->hash_by_name = v[FIELD_HASH].len > 0;
    out->hash = out->hash_by_name ? v[FIELD_HASH] : v[FIELD_PASSWORD];
    struct str quota = v[FIELD_QUOTA].len > 0 ? v[FIELD_QUOTA] : v[FIELD_QUOTA_MB];
    if (quota.len == 0)
        return;
    out->has_quota =
        str_find(quota, ':') >= 0
            ? account_quota_rule(quota, &out->quota_bytes)
            : read_size(quota, v[FIELD_QUOTA].len > 0 ? 1 : 1 << 20, &out->quota_bytes);
    if (!out->has_quota)
        out->fault = "the quota cannot be read";
}

/* digits [ unit ]; the unit given is for those that name none; -1 and words for "no limit" are 0. */
static bool
read_size(struct str text, uint64_t unit, uint64_t *out)
{
    static const struct str letters = STR("KMGT");
    struct scan s = scan_of(text);
    uint64_t n;

    if (str_eq(text, STR("-1")) || str_eq_nocase(text, STR("unlimited")) ||
        str_eq_nocase(text, STR("none"))) {
        *out = 0;
        return true;
    }
    if (!scan_u64(&s, UINT64_MAX >> 20, &n))
        return false;
    if (!scan_at_end(&s)) {
        ssize_t at = str_find(letters, ascii_upper(*s.pos));
        if (at < 0 && ascii_upper(*s.pos) != 'B')
            return false;
        unit = 1;
        for (ssize_t i = 0; i <= at; i++)
            unit *= 1024;
        s.pos++;
        if (at >= 0)
            (void)(scan_str_nocase(&s, STR("iB")) || scan_str_nocase(&s, STR("B")));
    }
    if (!scan_at_end(&s) || n > INT64_MAX / unit)
        return false;
    *out = n * unit;
    return true;
}

static bool
is_off(struct str text)
{
    static const struct str words[] = {STR("0"),  STR("f"),   STR("n"), STR("false"),
                                       STR("no"), STR("off"), STR("2") /* Mailcow: no log-in */};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_eq_nocase(text, words[i]))
            return true;
    return text.len == 1 && text.ptr[0] == '\0'; /* bit(1) of Vimbadmin */
}

/* As a line of a virtual map would have them. */
static void
read_targets(const struct account_record *r, struct arena *a, struct account_entry *out)
{
    struct str line = arena_printf(a, "x %.*s\n", STR_FMT(r->values[FIELD_GOTO]));
    struct alias_cursor c = alias_cursor_of(line, ALIAS_VIRTUAL);

    if (r->values[FIELD_GOTO].len == 0 || str_find(r->values[FIELD_GOTO], '\n') >= 0 ||
        !alias_next(&c, a, &out->alias)) {
        out->fault = "there is no target";
        return;
    }
    out->fault = out->alias.fault;
    out->alias.name = out->name;
    out->alias.line = out->line;
}

/* ---- lines ---- */

static bool
read_line(struct account_cursor *c, struct str *out)
{
    if (scan_at_end(&c->in))
        return false;
    if (scan_until(&c->in, '\n', out)) {
        c->in.pos++;
    } else {
        *out = scan_rest(&c->in);
        c->in.pos = c->in.end;
    }
    c->line++;
    return true;
}

static bool
is_empty(struct str line)
{
    struct str text = str_trim(line);

    return text.len == 0 || text.ptr[0] == '#';
}
