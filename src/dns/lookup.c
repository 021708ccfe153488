/* lookup.c - answers that set-up, checks and judges want: texts, reverse names, records; can the root be reached?
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/size.h"
#include "dns/name.h"
#include "dns/resolver_internal.h"

enum { TEXT_MAX = 4096, WIRE_MAX = 65535 };

/* TXT-DATA is one or more <character-string>s (RFC 1035 section 3.3.14): a length byte and so many bytes. */
static bool
join_parts(struct str wire, size_t max, struct arena *a, struct str *out)
{
    AUTO_BUF joined = BUF(max);

    while (wire.len > 0) {
        size_t n = (unsigned char)wire.ptr[0];
        if (n + 1 > wire.len)
            return false;
        buf_add(&joined, str_sub(wire, 1, n));
        wire = str_skip(wire, n + 1);
    }
    if (buf_status(&joined) != OK)
        return false;
    *out = joined.len == 0 ? STR("") : arena_str(a, buf_str(&joined));
    return true;
}

static SUSPENDS enum status
list(struct resolver *r, struct str name, enum dns_type type, struct arena *a,
     struct dns_texts *out)
{
    AUTO_ANSWER w = {0};
    struct str *text = ARENA_ARRAY(a, struct str, RESOLVER_TEXTS_MAX), wire;
    size_t n = 0;

    TRY(resolver_ask(r, name, type, RESOLVER_PATIENCE_MS, &w));
    while (n < RESOLVER_TEXTS_MAX && dns_answer_next(&w, &wire)) {
        bool read = type == DNS_TYPE_TXT ? join_parts(wire, TEXT_MAX, a, &text[n])
                                         : resolver_read_name(wire, a, &text[n]);
        n += read ? 1 : 0;
    }
    if (n == 0)
        return ERR_NOT_FOUND;
    *out = (struct dns_texts){.text = text, .count = n, .secure = w.secure};
    return OK;
}

enum status
resolver_texts(struct resolver *r, struct str name, struct arena *a, struct dns_texts *out)
{
    return list(r, name, DNS_TYPE_TXT, a, out);
}

enum status
resolver_reverse(struct resolver *r, struct str address, struct arena *a, struct dns_texts *out)
{
    AUTO_BUF name = BUF(128);

    if (!dns_name_reverse(address, &name))
        return ERR_SYNTAX;
    return list(r, arena_str(a, buf_str(&name)), DNS_TYPE_PTR, a, out);
}

enum status
resolver_probe(struct resolver *r, bool *secure_out)
{
    AUTO_ANSWER w = {0};

    TRY(resolver_ask(r, STR("."), DNS_TYPE_SOA, RESOLVER_PATIENCE_MS, &w));
    if (!w.exists)
        return ERR_NOT_FOUND;
    *secure_out = w.secure;
    return w.count > 0 ? OK : ERR_TEMP;
}

/* ---- records ---- */

static bool
read_any_name(struct str wire, struct arena *a, struct str *out)
{
    AUTO_BUF text = BUF(DNS_NAME_MAX);
    struct dns_name name;

    if (!dns_name_read_wire(wire, &name) || !dns_name_write(&name, &text))
        return false;
    *out = text.len == 0 ? STR("") : arena_str(a, buf_str(&text));
    return true;
}

/* False: the record does not read, or has a name that no text can stand for. */
static bool
read_record(struct str wire, enum dns_type type, struct arena *a, struct str *out)
{
    switch (type) {
    case DNS_TYPE_TXT: return join_parts(wire, WIRE_MAX, a, out);
    case DNS_TYPE_MX: return wire.len > 2 && read_any_name(str_skip(wire, 2), a, out);
    case DNS_TYPE_PTR:
    case DNS_TYPE_CNAME: return read_any_name(wire, a, out);
    case DNS_TYPE_A:
    case DNS_TYPE_AAAA:
        if (wire.len != (type == DNS_TYPE_A ? 4 : 16))
            return false;
        break;
    default: break;
    }
    *out = wire.len == 0 ? STR("") : arena_str(a, wire);
    return true;
}

enum status
resolver_records(struct resolver *r, const struct dns_query *q, struct arena *a,
                 struct dns_records *out)
{
    AUTO_ANSWER w = {0};
    int64_t timeout_ms = q->timeout_ms > 0 ? q->timeout_ms : RESOLVER_PATIENCE_MS;
    struct dns_records found = {0};
    struct str wire;

    TRY(resolver_ask(r, q->name, q->type, timeout_ms, &w));
    found.secure = w.secure;
    if (w.count > LIMIT_DNS_RECORDS)
        return ERR_LIMIT;
    struct str *data = ARENA_ARRAY(a, struct str, MAX(w.count, 1u));
    while (dns_answer_next(&w, &wire))
        if (read_record(wire, q->type, a, &data[found.count]))
            found.count++;
    found.data = data;
    *out = found;
    return OK;
}
