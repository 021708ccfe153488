/* tls_rua.c - the record that asks for reports about TLS.  See tls_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "mail/address.h"
#include "policy/mailto.h"
#include "policy/tls_report.h"

enum { ADDRESS_ARENA = 16 << 10 };

static bool
is_record(struct str text)
{
    struct scan s = scan_of(text);

    if (text.len > LIMIT_DMARC_RECORD_BYTES || !scan_str(&s, STR("v=TLSRPTv1")))
        return false;
    scan_skip_spaces(&s);
    return scan_char(&s, ';');
}

/* tlsrpt-record = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]      RFC 8460 section 3
 * Names of extensions may have signs that those of tags.h have not. */
static bool
find_rua(struct str record, struct str *out)
{
    struct str field;
    bool found = false;

    while (str_split(&record, ';', &field)) {
        struct str value = str_trim(field), name;
        if (value.len == 0)
            continue;
        if (!str_split(&value, '=', &name) || value.ptr == NULL)
            return false;
        if (found || !str_eq(name, STR("rua")))
            continue;
        *out = value;
        found = true;
    }
    return found && out->len > 0;
}

bool
tls_rua_choose(const struct str *texts, size_t n, struct str *rua_out)
{
    struct str found = STR("");
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!is_record(texts[i]))
            continue;
        found = texts[i];
        count++;
    }
    return count == 1 && find_rua(found, rua_out);
}

static bool
uri_ok(struct str uri)
{
    if (!str_starts_nocase(uri, STR("mailto:")) && !str_starts_nocase(uri, STR("https://")))
        return false;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.ptr[i] <= ' ' || uri.ptr[i] > '~' || str_find(STR("<>\"\\^`{|}!"), uri.ptr[i]) >= 0)
            return false;
    return true;
}

bool
tls_rua_next(struct str *list, struct str *uri_out)
{
    struct str piece;

    while (list->ptr != NULL && str_split(list, ',', &piece)) {
        piece = str_trim(piece);
        if (!uri_ok(piece))
            continue;
        *uri_out = piece;
        return true;
    }
    return false;
}

bool
tls_rua_address(struct str uri, struct buf *out)
{
    AUTO_BUF plain = BUF(512);
    AUTO_ARENA *a = arena_new(ADDRESS_ARENA);
    struct path path;

    if (!mailto_to(uri, &plain) || mailbox_parse(buf_str(&plain), 0, a, &path) != OK ||
        path.kind != PATH_MAILBOX || path.literal)
        return false;
    path_write(out, &path);
    return buf_status(out) == OK;
}
