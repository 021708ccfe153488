/* imap_fetch_fuzz.c - FETCH items and SEARCH keys: what is taken is a program that can be run.
 *
 * The first byte: bit 0 SEARCH, bit 1 came as UID.  The rest is what follows the verb (and, for FETCH, the set).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "imap/fetch.h"
#include "imap/search.h"

enum { INPUT_MAX = 8192, ARENA_MAX = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_item(const struct fetch_item *item)
{
    if (item->kind != FETCH_SECTION)
        return;
    ASSERT(item->label.len > 0 && str_find(item->label, '\n') < 0);
    ASSERT(item->path_count <= RECORD_PATH_MAX);
    for (size_t i = 0; i < item->path_count; i++)
        ASSERT(item->path[i] > 0);
    bool fields = item->part == SECTION_FIELDS || item->part == SECTION_FIELDS_NOT;
    ASSERT(fields == (item->name_count > 0));
    ASSERT(item->part != SECTION_MIME || item->path_count > 0);
    ASSERT(!item->has_partial || item->length > 0);
}

static void
check_fetch(struct imap_cmd *c)
{
    struct fetch f;

    if (!fetch_parse(c, &f))
        return;
    ASSERT(scan_at_end(&c->in));
    ASSERT(f.count > 0 && f.count <= FETCH_ITEMS_MAX);
    ASSERT(!c->uid || f.items[0].kind == FETCH_UID);
    for (size_t i = 0; i < f.count; i++) {
        check_item(&f.items[i]);
        ASSERT(f.needs_record || f.items[i].kind != FETCH_SECTION);
        for (size_t k = 0; k < i; k++)
            ASSERT(f.items[k].kind != f.items[i].kind || f.items[i].kind == FETCH_SECTION);
    }
}

/* A postfix program leaves exactly one answer, and never takes what is not there. */
static void
check_search(struct imap_cmd *c)
{
    struct search p;
    size_t depth = 0;

    if (!search_parse(c, &p))
        return;
    ASSERT(scan_at_end(&c->in) && !p.bad_charset);
    ASSERT(p.count > 0 && p.count <= SEARCH_NODES_MAX);
    ASSERT(p.extended == (p.returns != 0));
    for (size_t i = 0; i < p.count; i++) {
        size_t takes = p.nodes[i].kind == SEARCH_NOT                                   ? 1
                       : p.nodes[i].kind == SEARCH_AND || p.nodes[i].kind == SEARCH_OR ? 2
                                                                                       : 0;
        ASSERT(depth >= takes);
        depth = depth - takes + 1;
        ASSERT(p.nodes[i].kind != SEARCH_SEQUENCE || p.nodes[i].set.count > 0);
        ASSERT(p.needs_body || p.nodes[i].kind < SEARCH_HEADER);
        ASSERT(p.needs_record || p.nodes[i].kind < SEARCH_BEFORE);
    }
    ASSERT(depth == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    AUTO_ARENA *a = arena_new(ARENA_MAX);
    struct imap_cmd c = {.arena = a,
                         .in = scan_of(str_from((const char *)data + 1, size - 1)),
                         .uid = (data[0] & 2) != 0};

    if ((data[0] & 1) != 0)
        check_search(&c);
    else
        check_fetch(&c);
    return 0;
}
