/* imap_reply_fuzz.c - whatever a server says: what is read of it lies within, names can be mailboxes, words keywords.
 *
 * The first byte is a separator for the name that the rest would be.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/status.h"
#include "migrate/imap_reply.h"
#include "migrate/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(struct str raw, char separator, struct arena *a)
{
    struct str name, again;

    if (imap_reply_name(raw, separator, a, &name) != OK)
        return;
    ASSERT(name.len > 0 && name.len <= LIMIT_MAILBOX_NAME_BYTES && utf8_valid(name));
    ASSERT(name.ptr[0] != '/' && name.ptr[name.len - 1] != '/');
    ASSERT(str_find_str(name, STR("//")) < 0);
    for (size_t i = 0; i < name.len; i++)
        ASSERT((unsigned char)name.ptr[i] >= 0x20 && name.ptr[i] != 0x7f);
    /* What has no "&" is its own name. */
    if (str_find(name, '&') < 0) {
        enum status s = imap_reply_name(name, '/', a, &again);
        ASSERT(s == OK && str_eq(name, again));
    }
}

static void
check_fetch(const struct imap_reply_fetch *f, size_t size)
{
    ASSERT(f->flags <= 31 && f->keyword_count <= IMAP_REPLY_KEYWORDS && f->keywords_lost <= size);
    ASSERT(((f->has & IMAP_FETCHED_UID) != 0) == (f->uid != 0) && f->body.len <= size);
    for (size_t i = 0; i < f->keyword_count; i++) {
        struct str w = f->keywords[i];
        ASSERT(w.len > 0 && w.len <= LIMIT_KEYWORD_BYTES && str_is_ascii(w) && w.ptr[0] != '\\');
        for (size_t k = 0; k < w.len; k++)
            ASSERT(w.ptr[k] > ' ' && str_find(STR("(){%*\"\\]"), w.ptr[k]) < 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    AUTO_ARENA *a = arena_new(3 * IMAP_REPLY_ARENA(size) + ((size_t)1 << 20));
    AUTO_ARENA *own = arena_new(IMAP_REPLY_ARENA(size));
    struct str in = {(const char *)data + 1, size - 1};
    struct imap_reply r = {0};

    check_name(in, (char)data[0], a);
    if (imap_reply_read(in, own, &r) != OK) {
        ASSERT(r.kind == IMAP_REPLY_OTHER && r.tag.ptr == NULL);
        return 0;
    }
    ASSERT((r.kind == IMAP_REPLY_TAGGED) == (r.tag.len > 0));
    ASSERT(r.condition <= IMAP_SAYS_PREAUTH && r.text.len <= in.len);
    ASSERT(r.space_count <= IMAP_REPLY_SPACES && r.list.special <= 5);
    if (r.kind == IMAP_REPLY_LIST) {
        ASSERT(r.list.raw.len > 0);
        check_name(r.list.raw, r.list.separator, a);
    }
    if (r.kind == IMAP_REPLY_FETCH)
        check_fetch(&r.fetch, size);
    return 0;
}
