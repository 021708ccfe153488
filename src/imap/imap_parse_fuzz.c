/* imap_parse_fuzz.c - arguments of commands: bounded, nothing consumed on failure, names in one spelling, no recursion.
 *
 * The first byte chooses what the rest is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/size.h"
#include "imap/fetch.h"
#include "imap/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA = 16 << 20 };

static void
check_set(struct str in, struct arena *a)
{
    struct scan s = scan_of(in);
    struct imap_set set;

    if (!imap_scan_set(&s, a, &set)) {
        ASSERT(s.pos == in.ptr);
        return;
    }
    imap_set_resolve(&set, 1000);
    for (size_t i = 0; i < set.count; i++) {
        ASSERT(set.at[i].first > 0 && set.at[i].first <= set.at[i].last);
        ASSERT(i == 0 || set.at[i].first > set.at[i - 1].last);
        ASSERT(imap_set_has(&set, set.at[i].first) && imap_set_has(&set, set.at[i].last));
    }
}

/* What the store keeps comes back as itself when it is told and asked for again. */
static void
check_name(struct str in, struct arena *a)
{
    AUTO_BUF wire = BUF(16 * LIMIT_MAILBOX_NAME_BYTES);
    struct scan s = scan_of(in);
    struct str name, again;

    if (!imap_scan_mailbox(&s, a, &name)) {
        ASSERT(s.pos == in.ptr);
        return;
    }
    ASSERT(name.len > 0 && name.len <= LIMIT_MAILBOX_NAME_BYTES && utf8_valid(name));
    imap_add_mailbox(&wire, name);
    ASSERT(buf_status(&wire) == OK);
    s = scan_of(buf_str(&wire));
    ASSERT(imap_scan_mailbox(&s, a, &again) && scan_at_end(&s) && str_eq(name, again));
}

/* A pattern of a name's own letters matches it; "*" matches everything. */
static void
check_match(struct str in)
{
    struct str pattern = STR_NONE, name = in;
    AUTO_BUF both = BUF(SIZE_MAX / 2);

    if (!str_split(&name, '\n', &pattern) || in.len > 4096)
        return;
    (void)imap_match(pattern, name);
    ASSERT(imap_match(STR("*"), name));
    buf_add(&both, name);
    buf_add(&both, STR("*"));
    ASSERT(imap_match(buf_str(&both), name));
}

static void
check_flags(struct str in, struct arena *a)
{
    struct scan s = scan_of(in);
    struct imap_flags f;

    if (!imap_scan_flags(&s, a, &f)) {
        ASSERT(s.pos == in.ptr);
        return;
    }
    ASSERT(f.system < 32 && f.keyword_count <= 64);
    for (size_t i = 0; i < f.keyword_count; i++)
        ASSERT(f.keywords[i].len > 0 && f.keywords[i].len <= LIMIT_KEYWORD_BYTES &&
               str_is_ascii(f.keywords[i]));
}

static void
check_fetch(struct str in, struct arena *a)
{
    struct imap_cmd c = {.arena = a, .in = scan_of(in)};
    struct fetch *f = ARENA_NEW(a, struct fetch);

    if (!fetch_parse(&c, f))
        return;
    ASSERT(f->count > 0 && f->count <= FETCH_ITEMS_MAX && scan_at_end(&c.in));
    for (size_t i = 0; i < f->count; i++) {
        const struct fetch_item *item = &f->items[i];
        ASSERT(item->kind != FETCH_SECTION || item->label.len > 0);
        ASSERT(item->path_count <= RECORD_PATH_MAX);
        ASSERT(!item->has_partial || item->length > 0);
    }
}

/* A program leaves one answer on the stack: search_run() asserts it; here without a mailbox. */
static void
check_search(struct str in, struct arena *a)
{
    struct imap_cmd c = {.arena = a, .in = scan_of(in)};
    struct search p;
    size_t depth = 0;

    if (!search_parse(&c, &p))
        return;
    ASSERT(p.count > 0 && p.count <= SEARCH_NODES_MAX && !p.bad_charset);
    for (size_t i = 0; i < p.count; i++) {
        size_t takes = p.nodes[i].kind == SEARCH_NOT                                   ? 1
                       : p.nodes[i].kind == SEARCH_AND || p.nodes[i].kind == SEARCH_OR ? 2
                                                                                       : 0;
        ASSERT(depth >= takes);
        depth = depth - takes + 1;
    }
    ASSERT(depth == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(ARENA);

    if (size == 0 || size > 65536)
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1);
    switch (data[0]) {
    case 's': check_set(in, a); break;
    case 'n': check_name(in, a); break;
    case 'm': check_match(in); break;
    case 'g': check_flags(in, a); break;
    case 'f': check_fetch(in, a); break;
    default: check_search(in, a); break;
    }
    return 0;
}
