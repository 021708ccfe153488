/* dmarc_record.c - DMARC records as text.  See dmarc_record.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_record.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/scan.h"
#include "policy/mailto.h"

enum tag {
    TAG_P,
    TAG_SP,
    TAG_NP,
    TAG_PSD,
    TAG_ADKIM,
    TAG_ASPF,
    TAG_T,
    TAG_PCT,
    TAG_FO,
    TAG_RUA,
    TAG_RUF,
    TAG_COUNT,
};

static const struct str tag_names[] = {
    [TAG_P] = {"p", 1},     [TAG_SP] = {"sp", 2},       [TAG_NP] = {"np", 2},
    [TAG_PSD] = {"psd", 3}, [TAG_ADKIM] = {"adkim", 5}, [TAG_ASPF] = {"aspf", 4},
    [TAG_T] = {"t", 1},     [TAG_PCT] = {"pct", 3},     [TAG_FO] = {"fo", 2},
    [TAG_RUA] = {"rua", 3}, [TAG_RUF] = {"ruf", 3},
};
static_assert(sizeof(tag_names) / sizeof(tag_names[0]) == TAG_COUNT, "a name for each tag");

static bool split_tag(struct str piece, struct str *name_out, struct str *value_out);
static bool value_ok(struct str value);
static void collect(struct str rest, struct str values[TAG_COUNT]);
static void read_policies(const struct str values[TAG_COUNT], struct dmarc_record *r);
static enum dmarc_policy policy_of(struct str value);
static enum dmarc_psd psd_of(struct str value);
static unsigned failure_of(struct str value);
static bool pct_is_zero(struct str value);
static bool uri_ok(struct str uri);
static bool read_mailto(struct str uri, struct dmarc_mailto *out);
static uint64_t limit_of(struct str text);

const char *
dmarc_policy_name(enum dmarc_policy p)
{
    static const char *const names[] = {"", "none", "quarantine", "reject"};

    ASSERT((size_t)p < sizeof(names) / sizeof(names[0]));
    return names[p];
}

/* dmarc-record = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]      RFC 9989 section 4.8 */
enum status
dmarc_record_parse(struct str text, struct dmarc_record *out)
{
    struct str piece, name, value, values[TAG_COUNT] = {0};
    bool too_long = text.len > LIMIT_DMARC_RECORD_BYTES;

    ASSERT(out != NULL);
    if (!str_split(&text, ';', &piece) || !split_tag(piece, &name, &value))
        return ERR_NOT_FOUND;
    if (!str_eq_nocase(name, STR("v")) || !str_eq(value, STR("DMARC1")))
        return ERR_NOT_FOUND;
    if (too_long)
        return ERR_LIMIT;

    collect(text, values);
    struct dmarc_record r = {
        .psd = psd_of(values[TAG_PSD]),
        .strict_dkim = str_eq_nocase(values[TAG_ADKIM], STR("s")),
        .strict_spf = str_eq_nocase(values[TAG_ASPF], STR("s")),
        .testing = str_eq_nocase(values[TAG_T], STR("y")) || pct_is_zero(values[TAG_PCT]),
        .failure = failure_of(values[TAG_FO]),
        .rua = values[TAG_RUA],
        .ruf = values[TAG_RUF],
    };
    read_policies(values, &r);
    *out = r;
    return OK;
}

/* dmarc-uri = URI [ "!" 1*DIGIT [ "k" / "m" / "g" / "t" ] ], with "," and "!" encoded      RFC 7489 section 6.4;
 * RFC 9990 dropped the size */
static bool
next_uri(struct str *list, struct str *uri_out, struct str *limit_out)
{
    struct str uri;

    while (str_split(list, ',', &uri)) {
        ssize_t mark = str_find(uri, '!');
        *limit_out = mark < 0 ? STR("") : str_trim(str_skip(uri, (size_t)mark + 1));
        uri = str_trim(mark < 0 ? uri : str_sub(uri, 0, (size_t)mark));
        if (uri_ok(uri)) {
            *uri_out = uri;
            return true;
        }
    }
    return false;
}

bool
dmarc_uri_next(struct str *list, struct str *uri_out)
{
    struct str limit;

    ASSERT(list != NULL && uri_out != NULL);
    return next_uri(list, uri_out, &limit);
}

bool
dmarc_mailto_next(struct str *list, struct dmarc_mailto *out)
{
    struct str uri, limit;

    while (next_uri(list, &uri, &limit)) {
        out->bytes_max = limit_of(limit);
        if (read_mailto(uri, out))
            return true;
    }
    return false;
}

/* dmarc-tag = 1*ALPHA equals 1*dmarc-value */
static bool
split_tag(struct str piece, struct str *name_out, struct str *value_out)
{
    ssize_t equals = str_find(piece, '=');

    if (equals < 0)
        return false;
    *name_out = str_trim(str_sub(piece, 0, (size_t)equals));
    *value_out = str_trim(str_skip(piece, (size_t)equals + 1));
    return value_ok(*value_out);
}

/* dmarc-value = %x20-3A / %x3C-7E */
static bool
value_ok(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~')
            return false;
    return value.len > 0;
}

static void
collect(struct str rest, struct str values[TAG_COUNT])
{
    struct str piece, name, value;

    while (str_split(&rest, ';', &piece)) {
        if (!split_tag(piece, &name, &value))
            continue;
        for (size_t i = 0; i < TAG_COUNT; i++)
            if (str_eq_nocase(name, tag_names[i]) && values[i].len == 0)
                values[i] = value;
    }
}

/* RFC 9989 section 4.10.1: without a valid p, or with an sp or np that is not valid, a record counts as p=none when
 * it names somebody to report to, and else as none at all. */
static void
read_policies(const struct str values[TAG_COUNT], struct dmarc_record *r)
{
    struct str list = r->rua, uri;
    bool wrong = policy_of(values[TAG_P]) == DMARC_POLICY_UNSAID;

    for (size_t i = TAG_SP; i <= TAG_NP; i++)
        wrong = wrong || (values[i].len > 0 && policy_of(values[i]) == DMARC_POLICY_UNSAID);
    r->usable = !wrong || dmarc_uri_next(&list, &uri);
    if (wrong) {
        r->p = r->usable ? DMARC_POLICY_NONE : DMARC_POLICY_UNSAID;
        return;
    }
    r->p = policy_of(values[TAG_P]);
    r->sp = policy_of(values[TAG_SP]);
    r->np = policy_of(values[TAG_NP]);
}

static enum dmarc_policy
policy_of(struct str value)
{
    for (enum dmarc_policy p = DMARC_POLICY_NONE; p <= DMARC_POLICY_REJECT; p++)
        if (str_eq_nocase(value, str_of(dmarc_policy_name(p))))
            return p;
    return DMARC_POLICY_UNSAID;
}

static enum dmarc_psd
psd_of(struct str value)
{
    if (str_eq_nocase(value, STR("y")))
        return DMARC_PSD_YES;
    return str_eq_nocase(value, STR("n")) ? DMARC_PSD_NO : DMARC_PSD_UNSAID;
}

/* RFC 9989: one of "0", "1", "d", "s", "d:s"; RFC 7489: any list of them.  One that is unknown counts for nothing. */
static unsigned
failure_of(struct str value)
{
    static const char letters[] = {'0', '1', 'd', 's'};
    struct str option;
    unsigned failure = 0;

    while (str_split(&value, ':', &option)) {
        option = str_trim(option);
        for (size_t i = 0; i < sizeof(letters); i++)
            if (option.len == 1 && ascii_lower(option.ptr[0]) == letters[i])
                failure |= 1u << i;
    }
    return failure != 0 ? failure : DMARC_FO_ALL;
}

static bool
pct_is_zero(struct str value)
{
    struct scan s = scan_of(value);
    uint32_t pct;

    return scan_u32(&s, 100, &pct) && scan_at_end(&s) && pct == 0;
}

/* URI = scheme ":" hier-part      RFC 3986; of mailto: (RFC 6068) there is something around an "@" */
static bool
uri_ok(struct str uri)
{
    ssize_t colon = str_find(uri, ':');

    if (colon <= 0 || (size_t)colon + 1 == uri.len || !ascii_is_alpha(uri.ptr[0]))
        return false;
    for (size_t i = 0; i < (size_t)colon; i++)
        if (!ascii_is_alnum(uri.ptr[i]) && str_find(STR("+-."), uri.ptr[i]) < 0)
            return false;
    for (size_t i = 0; i < uri.len; i++)
        if (uri.ptr[i] <= ' ' || uri.ptr[i] > '~' || str_find(STR("<>\"\\^`{|}"), uri.ptr[i]) >= 0)
            return false;
    if (!str_eq_nocase(str_sub(uri, 0, (size_t)colon), STR("mailto")))
        return true;
    struct str to = str_skip(uri, (size_t)colon + 1);
    ssize_t at = str_rfind(to, '@');
    return at > 0 && (size_t)at + 1 < to.len;
}

/* The octets of addresses that need no quotes. */
static bool
read_mailto(struct str uri, struct dmarc_mailto *out)
{
    AUTO_BUF to = BUF(sizeof(out->room));

    if (!mailto_to(uri, &to) || to.len == 0)
        return false;
    for (size_t i = 0; i < to.len; i++)
        if (to.ptr[i] <= ' ' || to.ptr[i] > '~' || str_find(STR("<>()[],;:\"\\"), to.ptr[i]) >= 0)
            return false;
    mem_copy(out->room, to.ptr, to.len);
    out->address = str_from(out->room, to.len);
    ssize_t at = str_rfind(out->address, '@');
    return at > 0 && (size_t)at + 1 < to.len;
}

/* What cannot be read limits nothing. */
static uint64_t
limit_of(struct str text)
{
    struct scan s = scan_of(text);
    uint64_t n;
    unsigned shift = 0;

    if (!scan_u64(&s, UINT64_MAX, &n))
        return 0;
    struct str unit = scan_rest(&s);
    ssize_t power = unit.len == 1 ? str_find(STR("kmgt"), ascii_lower(unit.ptr[0])) : -1;
    if (power >= 0)
        shift = 10 * ((unsigned)power + 1);
    if ((unit.len > 0 && power < 0) || n > UINT64_MAX >> shift)
        return 0;
    return n << shift;
}
