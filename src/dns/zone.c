/* zone.c - see zone.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/zone.h"

#include <arpa/inet.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "dns/types.h"

enum {
    DATA_MAX = 65535, /* of one record */
    WORD_MAX = 64,
    /* Of a byte of the file.  "a TXT a" takes a node, a set, a record and its data: some 15; a longer name a node of
     * each two bytes. */
    ARENA_PER_BYTE = 64,
    ARENA_FIXED = 65536,
};

struct zone_record {
    struct zone_record *next;
    struct str data;
};
/* What a name has of one type. */
struct set {
    struct set *next;
    unsigned type;
    bool silent;
    struct zone_record *first, *last;
};
struct node {
    struct set *sets;
    bool silent;
};
struct zone {
    struct arena *a;
    struct map *nodes; /* by the bytes of the name: struct node */
    bool secure;
};

static bool scan_line(struct zone *z, struct scan *s, struct problem *why);
static bool scan_data(struct scan *s, unsigned type, struct buf *b, struct problem *why);
static bool scan_texts(struct scan *s, struct buf *b, struct problem *why);

enum status
zone_read(struct str text, struct zone **out, struct problem *why)
{
    struct str line;

    if (text.len > LIMIT_ZONE_BYTES) {
        problem_set(why, 0, "", "a zone file has at most %u bytes", (unsigned)LIMIT_ZONE_BYTES);
        return ERR_LIMIT;
    }
    AUTO(zone_free) struct zone *z = MEM_NEW(struct zone);
    z->a = arena_new(ARENA_FIXED + ARENA_PER_BYTE * text.len);
    z->nodes = map_new();
    for (unsigned number = 1; str_split(&text, '\n', &line); number++) {
        struct problem what = {0};
        if (str_ends(line, STR("\r")))
            line.len--;
        struct scan s = scan_of(line);
        if (scan_line(z, &s, &what))
            continue;
        problem_set(why, 0, "", "line %u: %s", number, what.text);
        return ERR_SYNTAX;
    }
    *out = z;
    z = NULL;
    return OK;
}

void
zone_free(struct zone **z)
{
    if (*z == NULL)
        return;
    map_free(&(*z)->nodes);
    arena_free(&(*z)->a);
    mem_free(*z);
    *z = NULL;
}

bool
zone_is_secure(const struct zone *z)
{
    return z->secure;
}

/* ---- finding ---- */

static struct set *
find_set(const struct node *n, unsigned type)
{
    struct set *s = n->sets;

    while (s != NULL && s->type != type)
        s = s->next;
    return s;
}

enum status
zone_find(const struct zone *z, const struct dns_name *name, unsigned type,
          const struct zone_record **first_out)
{
    struct dns_name at = *name;

    for (unsigned i = 0; i <= LIMIT_DNS_ALIASES; i++) {
        const struct node *n = map_get(z->nodes, dns_name_str(&at));
        if (n == NULL)
            return ERR_NOT_FOUND;
        const struct set *found = find_set(n, type), *alias = find_set(n, DNS_TYPE_CNAME);
        if (found == NULL && alias != NULL && !alias->silent) {
            if (!dns_name_read_wire(alias->first->data, &at))
                UNREACHABLE();
            continue;
        }
        if (found != NULL ? found->silent : n->silent)
            return ERR_TEMP;
        *first_out = found != NULL ? found->first : NULL;
        return OK;
    }
    return ERR_TEMP;
}

bool
zone_follow(const struct zone *z, struct dns_name *name)
{
    bool is_alias = false;

    for (unsigned i = 0; i <= LIMIT_DNS_ALIASES; i++) {
        const struct node *n = map_get(z->nodes, dns_name_str(name));
        const struct set *alias = n != NULL ? find_set(n, DNS_TYPE_CNAME) : NULL;
        if (alias == NULL || alias->silent)
            break;
        if (!dns_name_read_wire(alias->first->data, name))
            UNREACHABLE();
        is_alias = true;
    }
    return is_alias;
}

const struct zone_record *
zone_next(const struct zone_record *r)
{
    return r->next;
}

struct str
zone_data(const struct zone_record *r)
{
    return r->data;
}

/* ---- keeping ---- */

static struct node *
take_node(struct zone *z, const struct dns_name *name)
{
    struct dns_name at = *name;
    struct node *n = map_get(z->nodes, dns_name_str(name));

    if (n != NULL)
        return n;
    n = ARENA_NEW(z->a, struct node);
    (void)map_put(z->nodes, dns_name_str(name), n);
    while (dns_name_up(&at) && map_get(z->nodes, dns_name_str(&at)) == NULL)
        (void)map_put(z->nodes, dns_name_str(&at), ARENA_NEW(z->a, struct node));
    return n;
}

static struct set *
take_set(struct zone *z, struct node *n, unsigned type)
{
    struct set *s = find_set(n, type);

    if (s == NULL) {
        s = ARENA_NEW(z->a, struct set);
        s->type = type;
        s->next = n->sets;
        n->sets = s;
    }
    return s;
}

static void
keep(struct zone *z, struct set *s, struct str data)
{
    struct zone_record *r = ARENA_NEW(z->a, struct zone_record);

    r->data = arena_str(z->a, data);
    if (s->first == NULL)
        s->first = r;
    else
        s->last->next = r;
    s->last = r;
}

/* ---- words ---- */

static bool
is_word_char(char c)
{
    return !ascii_is_space(c) && c != ';' && c != '"' && c != '(' && c != ')';
}

static bool
scan_word(struct scan *s, struct str *out)
{
    struct scan t = *s;

    scan_skip_spaces(&t);
    if (!scan_while(&t, is_word_char, WORD_MAX, out))
        return false;
    *s = t;
    return true;
}

/* The end of the line, or a comment. */
static bool
is_over(const struct scan *s)
{
    struct scan t = *s;
    char c;

    scan_skip_spaces(&t);
    return !scan_peek(&t, &c) || c == ';';
}

/* RFC 1035 section 5.1: "\DDD" is the byte of that number, "\X" the byte X. */
static bool
scan_byte(struct scan *s, char *out, bool *escaped)
{
    struct scan t = *s;
    struct str digits;
    uint32_t number = 0;
    char c;

    if (!scan_peek(&t, &c))
        return false;
    *escaped = scan_char(&t, '\\');
    if (*escaped && scan_peek(&t, &c) && ascii_is_digit(c)) {
        if (!scan_take(&t, 3, &digits))
            return false;
        struct scan d = scan_of(digits);
        if (!scan_u32(&d, 255, &number) || !scan_at_end(&d))
            return false;
        c = (char)number; /* a byte */
    } else {
        if (!scan_peek(&t, &c))
            return false;
        t.pos++;
    }
    *out = c;
    *s = t;
    return true;
}

static bool
scan_name(struct scan *s, struct dns_name *out)
{
    struct dns_name n = {0};
    char label[DNS_LABEL_MAX], c;
    struct scan t = *s;
    size_t len = 0;
    bool escaped, dot = false;

    scan_skip_spaces(&t);
    if (is_over(&t))
        return false;
    while (scan_peek(&t, &c) && is_word_char(c)) {
        if (!scan_byte(&t, &c, &escaped))
            return false;
        dot = c == '.' && !escaped;
        if (!dot && len == sizeof(label))
            return false;
        if (!dot)
            label[len++] = c;
        else if (len == 0 && n.len == 0 && (!scan_peek(&t, &c) || !is_word_char(c)))
            break; /* the root */
        else if (!dns_name_add(&n, str_from(label, len)))
            return false;
        else
            len = 0;
    }
    if (len > 0 && !dns_name_add(&n, str_from(label, len)))
        return false;
    if (len == 0 && !dot)
        return false;
    *s = t;
    *out = n;
    return true;
}

/* ---- lines ---- */

static const struct {
    struct str name;
    unsigned type;
} types[] = {
    {STR("A"), DNS_TYPE_A},     {STR("AAAA"), DNS_TYPE_AAAA}, {STR("CNAME"), DNS_TYPE_CNAME},
    {STR("MX"), DNS_TYPE_MX},   {STR("PTR"), DNS_TYPE_PTR},   {STR("SPF"), DNS_TYPE_SPF},
    {STR("TXT"), DNS_TYPE_TXT}, {STR("TLSA"), DNS_TYPE_TLSA},
};

static bool
is_silence(struct str word)
{
    return str_eq_nocase(word, STR("TIMEOUT")) || str_eq_nocase(word, STR("SERVFAIL"));
}

/* The word after TTL and class, which may stand in either order. */
static bool
scan_type(struct scan *s, struct str *out)
{
    uint32_t ttl;

    for (unsigned i = 0; i < 3; i++) {
        if (!scan_word(s, out))
            return false;
        struct scan w = scan_of(*out);
        bool number = scan_u32(&w, INT32_MAX, &ttl) && scan_at_end(&w);
        if (!number && !str_eq_nocase(*out, STR("IN")))
            return true;
    }
    return false;
}

static bool
read_type(struct str word, unsigned *out)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_eq_nocase(word, types[i].name)) {
            *out = types[i].type;
            return true;
        }
    return false;
}

/* "NAME TYPE TIMEOUT". */
static bool
scan_silence(struct scan *s)
{
    struct scan t = *s;
    struct str word;

    if (!scan_word(&t, &word) || !is_silence(word) || !is_over(&t))
        return false;
    *s = t;
    return true;
}

static bool
scan_record(struct zone *z, struct scan *s, struct node *n, struct problem *why)
{
    AUTO_BUF data = BUF(DATA_MAX);
    struct str word;
    unsigned type;

    if (!scan_type(s, &word)) {
        problem_set(why, 0, "", "a name, then a type of record and its data are expected");
        return false;
    }
    if (is_silence(word) && is_over(s)) {
        n->silent = true;
        return true;
    }
    if (!read_type(word, &type)) {
        problem_set(why, 0, "", "\"%.*s\" is no type of record that is known here", STR_FMT(word));
        return false;
    }
    struct set *set = take_set(z, n, type);
    if (scan_silence(s)) {
        set->silent = true;
        return true;
    }
    if (!scan_data(s, type, &data, why)) {
        if (why->text[0] == '\0')
            problem_set(why, 0, "", "this is no data of type %.*s", STR_FMT(word));
        return false;
    }
    if (type == DNS_TYPE_CNAME && set->first != NULL) {
        problem_set(why, 0, "", "a name has one CNAME");
        return false;
    }
    if (type != DNS_TYPE_SPF)
        keep(z, set, buf_str(&data));
    return true;
}

static bool
scan_line(struct zone *z, struct scan *s, struct problem *why)
{
    struct dns_name name;

    if (is_over(s))
        return true;
    if (str_eq_nocase(str_trim(scan_rest(s)), STR("$SECURE"))) {
        z->secure = true;
        return true;
    }
    if (!scan_name(s, &name)) {
        problem_set(why, 0, "", "this is no name: labels of 1 to 63 bytes, 253 in all");
        return false;
    }
    return scan_record(z, s, take_node(z, &name), why);
}

/* ---- data ---- */

static void
add_name(struct buf *b, const struct dns_name *n)
{
    buf_add(b, dns_name_str(n));
    buf_add_char(b, '\0');
}

static bool
scan_address(struct scan *s, int family, struct buf *b)
{
    unsigned char raw[16];
    char z[WORD_MAX + 1];
    struct str word;

    if (!scan_word(s, &word) || !str_to_z(word, z, sizeof(z)) || inet_pton(family, z, raw) != 1)
        return false;
    buf_add(b, str_from((const char *)raw, family == AF_INET ? 4 : 16));
    return true;
}

/* RFC 6698 section 2.2: usage, selector, matching type, and hexadecimal digits. */
static bool
scan_tlsa(struct scan *s, struct buf *b)
{
    AUTO_BUF digits = BUF(DATA_MAX);
    struct str word;
    uint32_t number;

    for (int i = 0; i < 3; i++) {
        if (!scan_word(s, &word))
            return false;
        struct scan w = scan_of(word);
        if (!scan_u32(&w, 255, &number) || !scan_at_end(&w))
            return false;
        buf_add_char(b, (char)number); /* a byte */
    }
    while (!is_over(s)) {
        scan_skip_spaces(s);
        if (!scan_while(s, is_word_char, DATA_MAX, &word))
            return false;
        buf_add(&digits, word);
    }
    return digits.len > 0 && buf_status(&digits) == OK && hex_decode(buf_str(&digits), b) == OK;
}

static bool
scan_mx(struct scan *s, struct buf *b)
{
    struct dns_name name;
    uint32_t preference;
    char bytes[2];

    scan_skip_spaces(s);
    if (!scan_u32(s, UINT16_MAX, &preference) || !scan_spaces(s) || !scan_name(s, &name))
        return false;
    be16_put(bytes, (uint16_t)preference); /* bounded above */
    buf_add(b, str_from(bytes, sizeof(bytes)));
    add_name(b, &name);
    return true;
}

static bool
scan_data(struct scan *s, unsigned type, struct buf *b, struct problem *why)
{
    struct dns_name name;
    bool good = false;

    switch (type) {
    case DNS_TYPE_A: good = scan_address(s, AF_INET, b); break;
    case DNS_TYPE_AAAA: good = scan_address(s, AF_INET6, b); break;
    case DNS_TYPE_MX: good = scan_mx(s, b); break;
    case DNS_TYPE_TLSA: good = scan_tlsa(s, b); break;
    case DNS_TYPE_TXT:
    case DNS_TYPE_SPF: good = scan_texts(s, b, why); break;
    default:
        good = scan_name(s, &name);
        if (good)
            add_name(b, &name);
    }
    return good && is_over(s) && buf_status(b) == OK;
}

/* <character-string>: a length byte and at most 255 bytes (RFC 1035 section 3.3). */
static bool
scan_text(struct scan *s, struct buf *b, struct problem *why)
{
    char text[256], c;
    size_t len = 0;
    bool escaped, quoted = scan_char(s, '"');

    while (scan_peek(s, &c) && (quoted ? c != '"' : is_word_char(c))) {
        if (!scan_byte(s, &c, &escaped))
            return false;
        if (len == 255) {
            problem_set(why, 0, "", "one string of a text has at most 255 bytes: divide it");
            return false;
        }
        text[len++] = c;
    }
    if (quoted ? !scan_char(s, '"') : len == 0)
        return false;
    buf_add_char(b, (char)len); /* a byte */
    buf_add(b, str_from(text, len));
    return true;
}

static bool
scan_texts(struct scan *s, struct buf *b, struct problem *why)
{
    if (is_over(s))
        return false;
    while (!is_over(s)) {
        scan_skip_spaces(s);
        if (!scan_text(s, b, why))
            return false;
    }
    return true;
}
