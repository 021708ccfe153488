/* maildir_fuzz.c - names, lists, keywords, subscriptions: bounded, and written again they are the same.
 *
 * The first byte chooses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "migrate/maildir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_within(struct str part, struct str whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void
check_name(struct str in)
{
    AUTO_BUF b = BUF(100);
    struct maildir_name n, again;

    if (!maildir_name_read(in, &n))
        return;
    ASSERT(n.unique.len > 0 && n.unique.ptr == in.ptr && n.base.len >= n.unique.len &&
           is_within(n.base, in) && n.letters < 1u << MAILDIR_LETTERS && n.flags <= 31);
    buf_add_char(&b, 'x');
    maildir_info_write(n.flags, n.letters, &b);
    ASSERT(maildir_name_read(buf_str(&b), &again) && again.flags == n.flags &&
           again.letters == n.letters);
}

static void
check_list(struct str in)
{
    struct uidlist l;
    struct uidlist_entry e;
    size_t n = 0;

    if (!uidlist_begin(in, &l))
        return;
    ASSERT(l.uidvalidity != 0 && l.uidvalidity <= LIMIT_IMPORT_NUMBER &&
           l.uidnext <= LIMIT_IMPORT_NUMBER);
    while (uidlist_next(&l, &e)) {
        ASSERT(e.uid != 0 && e.uid <= LIMIT_IMPORT_NUMBER && e.base.len > 0 &&
               is_within(e.base, in) && is_within(e.uidl, in) && e.uidl.len <= LIMIT_UIDL_BYTES &&
               str_find(e.base, '\n') < 0);
        for (size_t i = 0; i < e.uidl.len; i++)
            ASSERT(e.uidl.ptr[i] > ' ' && e.uidl.ptr[i] <= '~');
        n++;
        ASSERT(n <= in.len);
    }
}

static void
check_words(struct str in)
{
    struct str words[MAILDIR_LETTERS] = {0};

    maildir_keywords_read(in, words);
    for (size_t i = 0; i < MAILDIR_LETTERS; i++)
        ASSERT(words[i].len <= LIMIT_KEYWORD_BYTES && is_within(words[i], in));
}

static void
check_folder(struct str in, char sep)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF b = BUF(16384);
    struct str name, again;

    if (in.len > 2000 || maildir_folder_name(in, sep, a, &name) != OK)
        return;
    ASSERT(name.len > 0 && name.len <= LIMIT_MAILBOX_NAME_BYTES && utf8_valid(name));
    maildir_folder_dir(name, &b);
    ASSERT(maildir_folder_name(buf_str(&b), '.', a, &again) == OK && str_eq(name, again));
}

static void
check_subscriptions(struct str in)
{
    AUTO_ARENA *a = arena_new((size_t)64 << 20);
    struct subscriptions s = subscriptions_of(in);
    struct str name;
    size_t n = 0;

    while (subscriptions_next(&s, a, &name)) {
        n++;
        ASSERT(utf8_valid(name) && name.len > 0 && n <= in.len);
    }
}

static void
check_lines(struct str in)
{
    AUTO_BUF crlf = BUF(2 * in.len + 1);
    AUTO_BUF lf = BUF(2 * in.len + 1);
    AUTO_BUF again = BUF(2 * in.len + 1);

    ASSERT(migrate_crlf(in, &crlf) == OK);
    migrate_lf(buf_str(&crlf), &lf);
    ASSERT(migrate_crlf(buf_str(&lf), &again) == OK && str_eq(buf_str(&crlf), buf_str(&again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str in = {(const char *)data + 1, size - 1};
    switch (data[0] % 7) {
    case 0: check_name(in); break;
    case 1: check_list(in); break;
    case 2: check_words(in); break;
    case 3: check_folder(in, '.'); break;
    case 4: check_folder(in, '/'); break;
    case 5: check_subscriptions(in); break;
    default: check_lines(in); break;
    }
    return 0;
}
