/* account_many.c - godwit account add --from FILE: a JSON object on each line, as the API takes it, or CSV with a
 * header, as `godwit import accounts` reads it.
 *
 * JSON goes to the server piece by piece; CSV is read to its end first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/many.h"
#include "auth/foreign.h"
#include "ctl/account.h"
#include "setup/account_file.h"

enum { PIECE_BYTES = 65536 };
#define SECOND_US INT64_C(1000000)

/* One result of many. */
static bool
tell_one(struct ctl *c, struct str line)
{
    json_t *j = json_loadb(line.ptr, line.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(j, "detail"));
    const char *password = json_string_value(json_object_get(j, "password"));
    const char *invitation = json_string_value(json_object_get(j, "invitation"));
    json_int_t number = json_integer_value(json_object_get(j, "line"));
    bool made = j != NULL && detail == NULL;

    if (detail != NULL)
        fprintf(stderr, "line %lld: %s\n", (long long)number, ctl_text(c, str_of(detail)));
    else if (password != NULL || invitation != NULL)
        printf("%s %s\n", json_string_value(json_object_get(j, "address")),
               password != NULL ? password : invitation);
    json_decref(j);
    return made;
}

/* Accounts that are not made are told; the exit status says that there were some. */
static int
tell(struct ctl *c, const struct many *m)
{
    struct str results = many_results(m), line;
    uint64_t made = 0;

    if (c->json) {
        json_t *all = json_array();
        while (str_split(&results, '\n', &line))
            json_array_append_new(all, json_loadb(line.ptr, line.len, 0, NULL));
        (void)ctl_print_json(all);
        return many_refused(m) == 0 && !many_is_full(m) ? CTL_OK : CTL_FAILED;
    }
    while (str_split(&results, '\n', &line))
        made += tell_one(c, line) ? 1u : 0u;
    printf("%llu accounts %s\n", (unsigned long long)made,
           account_options.dry_run ? "would be made" : "are ready");
    if (many_is_full(m))
        fprintf(stderr, "godwit account add: the rest was not looked at: give fewer at a time\n");
    return many_refused(m) == 0 && !many_is_full(m) ? CTL_OK : CTL_FAILED;
}

/* ---- CSV ---- */

/* An account that is locked has a sign that no hash begins with, as in shadow(5). */
static bool
is_locked(struct str word)
{
    return word.len > 0 && (word.ptr[0] == '!' || word.ptr[0] == '*');
}

/* A column "password" is taken as people write it; a hash there would become a password that somebody can read. */
static bool
looks_like_a_hash(struct str word)
{
    AUTO_FOREIGN f = {0};

    while (word.len > 0 && word.ptr[0] == '!')
        word = str_skip(word, 1);
    return word.len > 0 && (word.ptr[0] == '{' || word.ptr[0] == '$') &&
           foreign_read(word, &f) == NULL;
}

static SUSPENDS void
take_entry(struct many *m, const struct account_entry *e)
{
    struct admin_new_account n = {
        .address = e->name, .quota_bytes = e->quota_bytes, .suspended = e->inactive};
    const char *wrong = e->fault;

    if (e->hash_by_name && !is_locked(e->hash))
        n.hash = e->hash;
    else if (!e->hash_by_name && wrong == NULL && looks_like_a_hash(e->hash))
        wrong = "The column password holds a hash: name the column password_hash";
    else if (!e->hash_by_name)
        n.password = e->hash;
    many_add_account(m, e->line, &n, wrong);
}

static SUSPENDS bool
take_csv(struct ctl *c, struct many *m, struct str text)
{
    AUTO_ARENA *a = arena_new(ACCOUNT_ENTRY_BYTES);
    struct account_cursor *cursor = ARENA_NEW(c->arena, struct account_cursor);
    struct account_entry e;

    if (account_file_form(text) != ACCOUNT_CSV) {
        fprintf(stderr,
                "godwit account add: %s: this is neither JSON, an object on each line, nor CSV "
                "whose first line names a column address\n",
                account_options.from);
        return false;
    }
    account_cursor_init(cursor, text, ACCOUNT_CSV);
    for (; !many_is_full(m) && account_next(cursor, a, &e); arena_reset(a))
        take_entry(m, &e);
    return true;
}

/* ---- the file ---- */

/* Without what programs of Windows put before UTF-8. */
static struct str
without_mark(struct str head)
{
    return str_starts(head, STR("\xef\xbb\xbf")) ? str_skip(head, 3) : head;
}

/* A header of CSV may begin with a quote. */
static bool
is_json(struct str head)
{
    head = str_trim(head);
    return head.len == 0 || head.ptr[0] == '{' || head.ptr[0] == '[';
}

static void
cannot_be_read(void)
{
    fprintf(stderr, "godwit account add: %s cannot be read\n", account_options.from);
}

static SUSPENDS bool
take_file(struct ctl *c, struct many *m, FILE *from)
{
    AUTO_BUF text = BUF(LIMIT_IMPORT_ACCOUNTS_BYTES);
    char *piece = arena_alloc(c->arena, PIECE_BYTES);
    struct str some = without_mark(str_from(piece, fread(piece, 1, PIECE_BYTES, from)));
    bool json = is_json(some), fine = true;

    for (; some.len > 0; some = str_from(piece, fread(piece, 1, PIECE_BYTES, from))) {
        if (json)
            many_take(m, some);
        else
            buf_add(&text, some);
    }
    mem_wipe(piece, PIECE_BYTES);
    if (ferror(from) != 0) { /* a folder, say */
        cannot_be_read();
        fine = false;
    } else if (json) {
        many_take(m, STR("\n")); /* the last line may lack it */
    } else if (buf_status(&text) != OK) {
        fprintf(stderr, "godwit account add: %s is larger than %zuM\n", account_options.from,
                text.max >> 20);
        fine = false;
    } else {
        fine = take_csv(c, m, buf_str(&text));
    }
    if (text.ptr != NULL) /* passwords were in it */
        mem_wipe(text.ptr, text.cap);
    return fine;
}

SUSPENDS int
ctl_account_add_many(struct ctl *c)
{
    const struct many_wishes wishes = {
        .trial = account_options.dry_run,
        .once = true,
        .invite = account_options.invite,
        .invite_s = (uint64_t)(account_options.valid / SECOND_US), /* not negative */
    };
    FILE *from = strcmp(account_options.from, "-") == 0 ? stdin : fopen(account_options.from, "re");
    struct many *m;

    if (from == NULL) {
        cannot_be_read();
        return CTL_FAILED;
    }
    m = many_new(&c->store, false);
    many_wish(m, &wishes);
    bool fine = take_file(c, m, from);
    many_send(m);
    if (from != stdin)
        (void)fclose(from);
    /* What came before the end that cannot be read is made, and has passwords to be told. */
    int exit = fine || many_results(m).len > 0 ? tell(c, m) : CTL_FAILED;
    many_free(&m);
    return fine ? exit : CTL_FAILED;
}
