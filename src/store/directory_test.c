/* directory_test.c - addresses, aliases, log-ins; what a crash in the middle of a change leaves.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory.h"

#include "rt/clock.h"
#include "store/directory_app.h"
#include "store/directory_explain.h"
#include "store/directory_internal.h"
#include "store/directory_rights.h"
#include "store/testkit_town.h"

struct resolve_row {
    const char *address;
    enum directory_class class;
    bool relayed;
    const char *targets; /* account numbers, or foreign addresses, in order */
};
static const struct resolve_row resolve_rows[] = {
    {"anna@example.org", DIRECTORY_LOCAL, false, "1"},
    {"ANNA@EXAMPLE.ORG", DIRECTORY_LOCAL, false, "1"},
    {"anna@example.org.", DIRECTORY_LOCAL, false, "1"},
    {"\"anna\"@example.org", DIRECTORY_LOCAL, false, "1"},
    {"\"an\\na\"@example.org", DIRECTORY_LOCAL, false, "1"},
    {"anna", DIRECTORY_LOCAL, false, "1"}, /* the default domain */
    {"anna+x@example.org", DIRECTORY_LOCAL, false, "1"},
    {"anna+x+y@example.org", DIRECTORY_LOCAL, false, "1"},
    {"anna+@example.org", DIRECTORY_LOCAL, false, "1"},
    {"+anna@example.org", DIRECTORY_NO_USER, false, ""},
    {"nobody@example.org", DIRECTORY_NO_USER, false, ""},
    {"carl@example.org", DIRECTORY_DISABLED, false, ""},
    {"carl+x@example.org", DIRECTORY_DISABLED, false, ""},
    {"carla@example.org", DIRECTORY_DISABLED, false, ""},
    {"postmaster@example.org", DIRECTORY_LOCAL, false, "1"},
    {"Postmaster", DIRECTORY_LOCAL, false, "1"}, /* RFC 5321 section 4.5.1 */
    {"abuse@example.org", DIRECTORY_LOCAL, false, "1"},
    {"tls-reports@example.org", DIRECTORY_LOCAL, false, "1"},
    {"info@example.org", DIRECTORY_LOCAL, false, "2"},
    {"info+x@example.org", DIRECTORY_LOCAL, false, "2"},
    {"team@example.org", DIRECTORY_LOCAL, false, "1 2"}, /* the disabled one is left out */
    {"forward@example.org", DIRECTORY_LOCAL, true, "x@elsewhere.example"},
    {"both@example.org", DIRECTORY_LOCAL, true, "1 x@elsewhere.example"},
    {"list+tag@example.org", DIRECTORY_LOCAL, false, "1"}, /* explicit beats tag */
    {"list+other@example.org", DIRECTORY_LOCAL, false, "2"},
    {"loop1@example.org", DIRECTORY_NO_USER, false, ""},
    {"self@example.org", DIRECTORY_LOCAL, false, "1"},
    {"dead@example.org", DIRECTORY_NO_USER, false, ""},
    {"any@other.example", DIRECTORY_LOCAL, false, "1"},     /* catch-all */
    {"known@other.example", DIRECTORY_LOCAL, false, "2"},   /* explicit beats catch-all */
    {"known+t@other.example", DIRECTORY_LOCAL, false, "2"}, /* tag beats catch-all */
    {"a@elsewhere.example", DIRECTORY_FOREIGN, false, "a@elsewhere.example"},
    {"A@Sub.Example.Org", DIRECTORY_FOREIGN, false, "a@sub.example.org"},
};

struct explain_row {
    const char *address;
    enum directory_class class;
    const char *
        steps; /* depth, address, what was found; F N A D L T W K in the order of enum directory_found */
};
static const struct explain_row explain_rows[] = {
    {"anna", DIRECTORY_LOCAL, "0anna@example.org:A=anna@example.org"},
    {"ANNA+x", DIRECTORY_LOCAL, "0anna+x@example.org:A=anna@example.org"},
    {"any@other.example", DIRECTORY_LOCAL,
     "0any@other.example:L=@other.example 1anna@example.org:A=anna@example.org"},
    {"nobody", DIRECTORY_NO_USER, "0nobody@example.org:N="},
    {"carl", DIRECTORY_DISABLED, "0carl@example.org:D=carl@example.org"},
    {"a@elsewhere.example", DIRECTORY_FOREIGN, "0a@elsewhere.example:F="},
    {"dead", DIRECTORY_NO_USER, "0dead@example.org:L=dead@example.org 1nobody@example.org:N="},
    {"loop1", DIRECTORY_NO_USER,
     "0loop1@example.org:L=loop1@example.org 1loop2@example.org:L=loop2@example.org"},
    {"both", DIRECTORY_LOCAL,
     "0both@example.org:L=both@example.org 1anna@example.org:A=anna@example.org "
     "1x@elsewhere.example:F="},
};

static SUSPENDS void
expect_steps(struct directory *d, const struct explain_row *row)
{
    AUTO_ARENA *a = arena_new(8 << 20);
    struct directory_resolution r;
    struct directory_steps steps;
    AUTO_BUF got = BUF(4096);

    ASSERT(directory_explain(d, str_of(row->address), a, &r, &steps) == OK);
    for (size_t s = 0; s < steps.count; s++)
        buf_addf(&got, "%s%u%.*s:%c=%.*s", s > 0 ? " " : "", steps.list[s].depth,
                 STR_FMT(steps.list[s].address), "FNADLTWK"[steps.list[s].found],
                 STR_FMT(steps.list[s].entry));
    if (!str_eq(buf_str(&got), str_of(row->steps)))
        fprintf(stderr, "%s: %.*s\n", row->address, STR_FMT(buf_str(&got)));
    ASSERT(r.class == row->class);
    ASSERT(str_eq(buf_str(&got), str_of(row->steps)));
}

static SUSPENDS void
test_explain(struct kit *k)
{
    struct directory *d = town_small(k);

    for (size_t i = 0; i < COUNT_OF(explain_rows); i++)
        expect_steps(d, &explain_rows[i]);
    directory_free(&d);
}

static SUSPENDS void
test_resolve(struct kit *k)
{
    struct directory *d = town_small(k);

    for (int again = 0; again < 3; again++) { /* cold, warm, and after a restart */
        for (size_t i = 0; i < COUNT_OF(resolve_rows); i++) {
            const struct resolve_row *row = &resolve_rows[i];
            struct directory_resolution r;
            AUTO_BUF got = BUF(4096);
            ASSERT(directory_resolve(d, str_of(row->address), k->a, &r) == OK);
            for (size_t t = 0; t < r.count; t++) {
                buf_add_z(&got, t > 0 ? " " : "");
                if (r.targets[t].account != 0)
                    buf_add_u64(&got, r.targets[t].account);
                else
                    buf_add(&got, r.targets[t].address);
            }
            if (r.class != row->class || r.relayed != row->relayed ||
                !str_eq(buf_str(&got), str_of(row->targets)))
                fprintf(stderr, "row %zu %s: class %d, \"%.*s\"\n", i, row->address, (int)r.class,
                        STR_FMT(buf_str(&got)));
            ASSERT(r.class == row->class && r.relayed == row->relayed);
            ASSERT(str_eq(buf_str(&got), str_of(row->targets)));
        }
        if (again == 1) {
            directory_free(&d);
            kit_reopen(k);
            d = town_open(k);
        }
    }
    directory_free(&d);
}

/* RFC 5321 section 4.5.1 */
static SUSPENDS void
test_who_is_always_there(struct kit *k)
{
    static const struct explain_row rows[] = {
        {"Postmaster@bare.example", DIRECTORY_LOCAL,
         "0postmaster@bare.example:L=postmaster@example.org 1anna@example.org:A=anna@example.org"},
        {"abuse@bare.example", DIRECTORY_LOCAL,
         "0abuse@bare.example:L=abuse@example.org 1anna@example.org:A=anna@example.org"},
        {"postmaster@own.example", DIRECTORY_LOCAL,
         "0postmaster@own.example:A=postmaster@own.example"},
        {"abuse@other.example", DIRECTORY_LOCAL,
         "0abuse@other.example:L=@other.example 1anna@example.org:A=anna@example.org"},
    };
    static const struct explain_row without_abuse = {
        "abuse@bare.example", DIRECTORY_LOCAL,
        "0abuse@bare.example:L=postmaster@example.org 1anna@example.org:A=anna@example.org"};
    static const struct explain_row nobody = {"postmaster@bare.example", DIRECTORY_NO_USER,
                                              "0postmaster@bare.example:N="};
    struct directory *d = town_small(k);
    struct str back = STR("abuse@bare.example");

    ASSERT(directory_domain_add(d, STR("bare.example"), STR_NONE) == OK);
    ASSERT(directory_domain_add(d, STR("own.example"), STR_NONE) == OK);
    town_account(d, STR("postmaster@own.example"), 4);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_steps(d, &rows[i]);
    ASSERT(directory_alias_set(d, STR("abuse@example.org"), NULL, 0) == OK);
    expect_steps(d, &without_abuse);
    ASSERT(directory_alias_set(d, STR("postmaster@example.org"), &back, 1) == ERR_CONFLICT);
    ASSERT(directory_alias_set(d, STR("postmaster@example.org"), NULL, 0) == OK);
    expect_steps(d, &nobody);
    directory_free(&d);
}

static SUSPENDS void
test_refused_addresses(struct kit *k)
{
    static const char *const bad[] = {"",
                                      "@example.org",
                                      "a@",
                                      "a b\x01@example.org",
                                      "\"a@example.org",
                                      "\"a\"b@example.org",
                                      "a@exa mple.org",
                                      "\x7f@example.org"};
    struct directory *d = town_small(k);
    struct directory_resolution r;
    char longest[600];

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ASSERT(directory_resolve(d, str_of(bad[i]), k->a, &r) == ERR_SYNTAX);
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = 'a';
    ASSERT(directory_resolve(d, str_from(longest, sizeof(longest)), k->a, &r) == ERR_SYNTAX);
    directory_free(&d);
}

struct login_row {
    const char *login;
    uint64_t account; /* 0 = nobody */
};
static const struct login_row login_rows[] = {
    {"anna@example.org", 1},
    {"anna", 1},
    {"ANNA", 1},
    {"Anna@EXAMPLE.org", 1},
    {"info", 2}, /* an alias of one account */
    {"known@other.example", 2},
    {"postmaster", 1},
    {"team", 0},             /* of several */
    {"both@example.org", 0}, /* and elsewhere */
    {"forward", 0},
    {"loop1", 0},
    {"nobody", 0},
    {"anna+x", 0},
    {"any@other.example", 0},
    {"anna@elsewhere.example", 0},
    {"", 0},
    {"@example.org", 0},
    {"@other.example", 0},
    {"carl", 3}, /* found: disabled is for auth to say */
};

static SUSPENDS void
test_login(struct kit *k)
{
    struct directory *d = town_small(k);

    for (size_t i = 0; i < COUNT_OF(login_rows); i++) {
        struct directory_entry e = {0};
        enum status st = directory_login(d, str_of(login_rows[i].login), k->a, &e);
        if (st != (login_rows[i].account != 0 ? OK : ERR_NOT_FOUND) ||
            e.account != login_rows[i].account)
            fprintf(stderr, "login %s: %s, %lu\n", login_rows[i].login, status_name(st), e.account);
        ASSERT(st == (login_rows[i].account != 0 ? OK : ERR_NOT_FOUND));
        ASSERT(e.account == login_rows[i].account);
        ASSERT(st != OK || str_eq(e.verifier, STR("sealed")));
        ASSERT(e.disabled == (e.account == 3));
    }
    directory_free(&d);
}

static SUSPENDS void
test_may_send_as(struct kit *k)
{
    static const struct {
        uint64_t account;
        const char *address;
        bool may;
    } rows[] = {
        {1, "anna@example.org", true},       {1, "Anna+shop@Example.org", true},
        {1, "postmaster@example.org", true}, {2, "team@example.org", true},
        {1, "whatever@other.example", true}, {2, "whatever@other.example", false},
        {2, "anna@example.org", false},      {1, "anna@elsewhere.example", false},
        {3, "carl@example.org", false},      {1, "", false},
        {1, "nobody@example.org", false},
    };
    struct directory *d = town_small(k);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool may = !rows[i].may;
        ASSERT(directory_may_send_as(d, rows[i].account, str_of(rows[i].address), &may) == OK);
        ASSERT(may == rows[i].may);
    }
    directory_free(&d);
}

static SUSPENDS enum status
forward(struct directory *d, const char *address, const char *targets, bool keep)
{
    struct str list[LIMIT_FORWARD_TARGETS + 1], rest = str_of(targets);
    struct directory_forward f = {.targets = list, .keep = keep};

    while (f.count < COUNT_OF(list) && rest.len > 0 && str_split(&rest, ' ', &list[f.count]))
        f.count++;
    return directory_account_forward(d, str_of(address), &f);
}

static const struct explain_row explain_forward_rows[] = {
    {"anna", DIRECTORY_LOCAL, "0anna@example.org:W=anna@example.org 1x@elsewhere.example:F="},
    {"bert+x", DIRECTORY_LOCAL,
     "0bert+x@example.org:K=bert@example.org 1anna@example.org:W=anna@example.org "
     "2x@elsewhere.example:F="},
};

static SUSPENDS void
test_explain_forward(struct kit *k)
{
    struct directory *d = town_small(k);

    ASSERT(forward(d, "anna@example.org", "x@elsewhere.example", false) == OK);
    ASSERT(forward(d, "bert@example.org", "anna@example.org", true) == OK);
    for (size_t i = 0; i < COUNT_OF(explain_forward_rows); i++)
        expect_steps(d, &explain_forward_rows[i]);
    directory_free(&d);
}

/* "2 x@y|via ..." : accounts and foreign addresses, each with what names it. */
static SUSPENDS void
expect(struct directory *d, const char *address, const char *targets)
{
    AUTO_ARENA *a = arena_new(8 << 20);
    AUTO_BUF found = BUF(4096);
    struct directory_resolution r;

    ASSERT(directory_resolve(d, str_of(address), a, &r) == OK);
    for (size_t i = 0; i < r.count; i++) {
        if (r.targets[i].account != 0)
            buf_addf(&found, "%llu", (unsigned long long)r.targets[i].account);
        else
            buf_add(&found, r.targets[i].address);
        buf_addf(&found, "|%.*s ", STR_FMT(r.targets[i].via));
    }
    if (!str_eq(str_trim(buf_str(&found)), str_of(targets))) {
        printf("%s: \"%.*s\"\n", address, STR_FMT(buf_str(&found)));
        ASSERT(false);
    }
}

static SUSPENDS void
test_forwards(struct kit *k)
{
    static const struct {
        const char *address, *targets;
        bool keep;
        enum status st;
    } refused[] = {
        {"nobody@example.org", "x@y.example", false, ERR_NOT_FOUND},
        {"info@example.org", "x@y.example", false, ERR_NOT_FOUND}, /* an alias */
        {"anna@example.org", "bert", false, ERR_CONFLICT},         /* who forwards to anna */
        {"anna@example.org", "info", true, ERR_CONFLICT},          /* by way of an alias */
        {"anna@example.org", "anna+x", true, ERR_CONFLICT},
        {"anna@example.org", "no@ad@\1", true, ERR_SYNTAX},
        {"anna@example.org", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", true, ERR_LIMIT},
    };
    struct directory *d = town_small(k);
    struct directory_entry e;
    bool may = false;

    ASSERT(forward(d, "bert", "Anna x@Y.example", false) == OK);
    expect(d, "bert+tag@example.org", "1|bert@example.org x@y.example|bert@example.org");
    expect(d, "info@example.org", "1|bert@example.org x@y.example|bert@example.org");
    expect(d, "team@example.org", "1|team@example.org x@y.example|bert@example.org");
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        ASSERT(forward(d, refused[i].address, refused[i].targets, refused[i].keep) ==
               refused[i].st);
    /* nobody sets an alias that would lead back by way of it */
    struct str info = STR("info");
    ASSERT(forward(d, "bert", "late@example.org x@y.example", true) == OK);
    ASSERT(directory_alias_set(d, STR("late@example.org"), &info, 1) == ERR_CONFLICT);
    expect(d, "bert@example.org", "2|bert@example.org x@y.example|bert@example.org");
    /* the account itself among the targets is a copy for it */
    ASSERT(forward(d, "bert", "x@y.example bert", false) == OK);
    expect(d, "bert@example.org", "2|bert@example.org x@y.example|bert@example.org");
    /* a forward takes no log-in away, and gives no right to anybody */
    ASSERT(forward(d, "bert", "anna", false) == OK);
    AUTO_ARENA *a = arena_new(65536);
    ASSERT(directory_login(d, STR("info"), a, &e) == OK && e.account == 2);
    ASSERT(directory_may_send_as(d, 2, STR("bert@example.org"), &may) == OK && may);
    ASSERT(directory_may_send_as(d, 1, STR("bert@example.org"), &may) == OK && !may);
    /* it outlives other changes, ends no session, and can be taken away */
    ASSERT(directory_find(d, STR("bert"), a, &e) == OK && e.epoch == 1);
    ASSERT(directory_account_quota(d, STR("bert"), 5) == OK);
    expect(d, "bert@example.org", "1|bert@example.org");
    ASSERT(directory_account_disable(d, STR("bert"), true) == OK);
    expect(d, "bert@example.org", "");
    ASSERT(directory_account_disable(d, STR("bert"), false) == OK);
    ASSERT(forward(d, "bert", "", true) == OK);
    expect(d, "bert@example.org", "2|");
    directory_free(&d);
}

/* Two who forward to each other at the same moment get past the check: mail ends all the same. */
static SUSPENDS void
test_forwards_in_a_circle(struct kit *k)
{
    struct directory *d = town_small(k);
    struct str list[3] = {STR("b@example.org"), STR("c@example.org"), STR("x@y.example")};

    town_alias_unchecked(d, "b@example.org", "anna@example.org");
    ASSERT(forward(d, "anna", "c@example.org x@y.example", true) == OK);
    town_alias_unchecked(d, "c@example.org", "b@example.org");
    expect(d, "c@example.org", "1|anna@example.org x@y.example|anna@example.org");
    ASSERT(directory_alias_set(d, STR("c@example.org"), list, 1) == ERR_CONFLICT);
    directory_free(&d);
}

static SUSPENDS enum status
send_as(struct directory *d, uint64_t account, const char *others, bool remove)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str list[LIMIT_SEND_AS + 1], rest = str_of(others);
    struct directory_send_as what = {.addresses = list, .remove = remove};
    struct directory_entry e;

    while (what.count < COUNT_OF(list) && rest.len > 0 && str_split(&rest, ' ', &list[what.count]))
        what.count++;
    ASSERT(directory_by_id(d, account, a, &e) == OK);
    return directory_account_send_as(d, e.address, &what);
}

static SUSPENDS bool
may(struct directory *d, uint64_t account, const char *address)
{
    bool yes = false;

    ASSERT(directory_may_send_as(d, account, str_of(address), &yes) == OK);
    return yes;
}

static SUSPENDS void
test_send_as(struct kit *k)
{
    struct directory *d = town_small(k);
    AUTO_BUF many = BUF(65536);

    ASSERT(send_as(d, 2, "Anna nobody@example.org anna@example.org", false) == OK);
    ASSERT(may(d, 2, "anna@example.org") && may(d, 2, "ANNA+x@example.org"));
    ASSERT(may(d, 2, "nobody@example.org") && may(d, 2, "bert@example.org"));
    ASSERT(!may(d, 2, "carl@example.org") && !may(d, 1, "bert@example.org"));
    ASSERT(!may(d, 2, "anna@other.example") && !may(d, 2, "x@elsewhere.example"));
    /* of what is served elsewhere nobody can give a right; nothing was changed */
    ASSERT(send_as(d, 2, "carl x@elsewhere.example", false) == ERR_DENIED);
    ASSERT(!may(d, 2, "carl@example.org"));
    ASSERT(send_as(d, 2, "a@b@", false) == ERR_SYNTAX);
    ASSERT(send_as(d, 2, "@Other.example", false) == OK);
    ASSERT(may(d, 2, "any+x@other.example") && !may(d, 2, "any@example.org"));
    ASSERT(send_as(d, 2, "anna", true) == OK && !may(d, 2, "anna@example.org"));
    ASSERT(may(d, 2, "nobody@example.org"));
    ASSERT(send_as(d, 2, "", true) == OK && !may(d, 2, "nobody@example.org"));
    for (int i = 0; i < LIMIT_SEND_AS; i++)
        buf_addf(&many, "%s%d", i == 0 ? "" : " ", i);
    ASSERT(send_as(d, 2, arena_z(k->a, buf_str(&many)), false) == OK);
    ASSERT(may(d, 2, "63@example.org") && send_as(d, 2, "0 1", false) == OK);
    ASSERT(send_as(d, 2, "one-more", false) == ERR_LIMIT);
    buf_add_z(&many, " 64");
    ASSERT(send_as(d, 2, arena_z(k->a, buf_str(&many)), true) == ERR_LIMIT);
    /* a domain that is served no more gives nothing either */
    ASSERT(directory_domain_add(d, STR("third.example"), STR_NONE) == OK);
    ASSERT(send_as(d, 2, "", true) == OK && send_as(d, 2, "x@third.example", false) == OK);
    ASSERT(may(d, 2, "x@third.example"));
    ASSERT(directory_domain_remove(d, STR("third.example")) == OK);
    ASSERT(!may(d, 2, "x@third.example"));
    directory_free(&d);
}

static SUSPENDS void
test_depth_and_size_of_groups(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_resolution r;
    struct str many[LIMIT_ALIAS_TARGETS + 1];

    for (int i = 0; i <= LIMIT_ALIAS_DEPTH; i++) { /* chain0 -> ... -> chain8 -> anna */
        char from[64], to[64];
        snprintf(from, sizeof(from), "chain%d@example.org", i);
        snprintf(to, sizeof(to), i < LIMIT_ALIAS_DEPTH ? "chain%d" : "anna", i + 1);
        town_alias(d, from, to);
    }
    ASSERT(directory_resolve(d, STR("chain1"), k->a, &r) == OK && r.class == DIRECTORY_LOCAL);
    ASSERT(directory_resolve(d, STR("chain0"), k->a, &r) == OK && r.class == DIRECTORY_NO_USER);

    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = arena_printf(k->a, "t%zu@elsewhere.example", i);
    ASSERT(directory_alias_set(d, STR("wide@example.org"), many, COUNT_OF(many)) == ERR_LIMIT);
    for (size_t g = 0; g < 20; g++) { /* 20 x 64 foreign addresses */
        for (size_t i = 0; i < LIMIT_ALIAS_TARGETS; i++)
            many[i] = arena_printf(k->a, "t%zu-%zu@elsewhere.example", g, i);
        struct str name = arena_printf(k->a, "wide%zu@example.org", g);
        ASSERT(directory_alias_set(d, name, many, LIMIT_ALIAS_TARGETS) == OK);
    }
    for (size_t g = 0; g < 20; g++)
        many[g] = arena_printf(k->a, "wide%zu", g);
    ASSERT(directory_alias_set(d, STR("ten"), many, 10) == OK);
    ASSERT(directory_alias_set(d, STR("twenty"), many, 20) == OK);
    ASSERT(directory_resolve(d, STR("ten"), k->a, &r) == OK && r.count == 640 && r.relayed);
    /* half a group would be lost without a word */
    ASSERT(directory_resolve(d, STR("twenty"), k->a, &r) == OK && r.class == DIRECTORY_NO_USER);
    directory_free(&d);
}

static SUSPENDS void
test_changes(struct kit *k)
{
    struct directory *d = town_small(k);
    const struct directory_new_account taken = {.address = STR("INFO@example.org"), .account = 9};
    const struct directory_new_account nowhere = {.address = STR("a@b.example"), .account = 9};
    struct directory_domain_use use;
    struct directory_entry e;
    bool local;

    ASSERT(directory_account_add(d, &taken) == ERR_EXISTS);
    ASSERT(directory_account_add(d, &nowhere) == ERR_NOT_FOUND);
    ASSERT(directory_alias_set(d, STR("anna"), &STR("bert"), 1) == ERR_EXISTS);
    ASSERT(directory_alias_set(d, STR("x@b.example"), &STR("bert"), 1) == ERR_NOT_FOUND);
    ASSERT(directory_alias_set(d, STR("nothere"), NULL, 0) == ERR_NOT_FOUND);

    ASSERT(directory_find(d, STR("anna"), k->a, &e) == OK && e.epoch == 1 && !e.disabled);
    ASSERT(directory_account_verifier(d, STR("Anna"), STR("other")) == OK);
    ASSERT(directory_account_disable(d, STR("anna"), true) == OK);
    ASSERT(directory_account_disable(d, STR("anna"), false) == OK);
    ASSERT(directory_account_quota(d, STR("anna"), 5) == OK);
    ASSERT(directory_find(d, STR("anna"), k->a, &e) == OK && e.epoch == 4 && !e.disabled);
    ASSERT(str_eq(e.verifier, STR("other")) && e.quota_bytes == 5);
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 1);
    ASSERT(account_has_room(cell, 6) == ERR_QUOTA);
    ASSERT(directory_by_id(d, 1, k->a, &e) == OK && str_eq(e.address, STR("anna@example.org")));
    ASSERT(directory_by_id(d, 99, k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_account_verifier(d, STR("info"), STR("x")) == ERR_NOT_FOUND);
    ASSERT(directory_account_disable(d, STR("nobody"), true) == ERR_NOT_FOUND);

    ASSERT(directory_domain_remove(d, HERE) == ERR_EXISTS);
    ASSERT(directory_domain_use(d, STR("Other.Example"), k->a, &use) == OK);
    ASSERT(use.accounts == 0 && use.aliases == 2);
    ASSERT(str_ends(use.first, STR("@other.example")));
    ASSERT(directory_domain_use(d, HERE, k->a, &use) == OK);
    ASSERT(use.accounts == 3 && use.aliases == 11 && use.first.len == 16);
    ASSERT(directory_domain_remove(d, STR("other.example")) == ERR_EXISTS);
    ASSERT(directory_alias_set(d, STR("@other.example"), NULL, 0) == OK);
    ASSERT(directory_domain_remove(d, STR("other.example")) == ERR_EXISTS);
    ASSERT(directory_alias_set(d, STR("known@other.example"), NULL, 0) == OK);
    ASSERT(directory_domain_add(d, STR("other.example"), STR("anna@example.org")) == OK);
    ASSERT(directory_find(d, STR("abuse@other.example"), k->a, &e) == OK);
    ASSERT(directory_domain_remove(d, STR("other.example")) == OK);
    ASSERT(directory_find(d, STR("abuse@other.example"), k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_domain_remove(d, STR("other.example")) == ERR_NOT_FOUND);
    ASSERT(directory_is_local_domain(d, STR("other.example"), &local) == OK && !local);
    ASSERT(directory_find(d, STR("known@other.example"), k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_find(d, STR("@other.example"), k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_alias_set(d, STR("info"), NULL, 0) == OK);
    ASSERT(directory_find(d, STR("info"), k->a, &e) == ERR_NOT_FOUND);
    directory_free(&d);
}

/* What leads back to itself is refused, whatever else it leads to. */
static SUSPENDS void
test_loops_are_refused(struct kit *k)
{
    static const struct {
        const char *address, *target;
        enum status want;
    } rows[] = {
        {"bad@example.org", "bad@example.org", ERR_CONFLICT},
        {"Bad@example.org", "bAD", ERR_CONFLICT},
        {"bad@example.org", "bad+tag@example.org", ERR_CONFLICT},
        {"bad+tag@example.org", "bad@example.org", OK}, /* nobody, but no loop */
        {"bad@example.org", "bad+tag@example.org", ERR_CONFLICT},
        {"bad+tag@example.org", NULL, OK},
        {"one@example.org", "two@example.org", OK},
        {"two@example.org", "three@example.org", OK},
        {"three@example.org", "one@example.org", ERR_CONFLICT},
        {"three@example.org", "anna@example.org", OK},
        {"@example.org", "nobody@example.org", ERR_CONFLICT},
        {"@example.org", "anna+x@example.org", OK},
        {"@other.example", "any@other.example", ERR_CONFLICT},
        {"@other.example", "known@other.example", OK},
        {"known@other.example", "any@other.example", ERR_CONFLICT},
        {"out@example.org", "out@elsewhere.example", OK},
        {"loop1@example.org", "loop2@example.org", ERR_CONFLICT},
        {"loop2@example.org", "anna@example.org", OK}, /* the way out of an old loop */
        {"into@example.org", "self@example.org", OK},  /* another's loop */
    };
    struct directory *d = town_small(k);
    char from[64], to[64];

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str target = rows[i].target != NULL ? str_of(rows[i].target) : STR_NONE;
        enum status st = directory_alias_set(d, str_of(rows[i].address), &target,
                                             rows[i].target != NULL ? 1 : 0);
        if (st != rows[i].want)
            fprintf(stderr, "row %zu: %s\n", i, status_name(st));
        ASSERT(st == rows[i].want);
    }
    for (int i = 0; i < 2 * LIMIT_ALIAS_DEPTH; i++) { /* longer than any resolution goes */
        snprintf(from, sizeof(from), "far%d@example.org", i);
        snprintf(to, sizeof(to), "far%d@example.org", i + 1);
        town_alias(d, from, to);
    }
    ASSERT(directory_alias_set(d, str_of(to), &STR("far0@example.org"), 1) == ERR_CONFLICT);
    directory_free(&d);
}

static SUSPENDS void
test_listings(struct kit *k)
{
    struct directory *d = town_small(k);
    const struct directory_domain *domains;
    const struct directory_entry *list;
    size_t n, accounts = 0, seen = 0;
    struct directory_page p = {.max = 7, .a = k->a};

    for (uint64_t i = 100; i < 140; i++)
        town_account(d, arena_printf(k->a, "user%lu@other.example", i), i);
    do {
        ASSERT(directory_list(d, DIRECTORY_ACCOUNT, &p, &list, &n) == OK && n <= 7);
        for (size_t i = 0; i < n; i++) {
            ASSERT(list[i].account != 0 && list[i].verifier.len <= 1);
            seen += list[i].account;
        }
        accounts += n;
        if (n > 0)
            p.after = list[n - 1].address;
    } while (n == 7);
    ASSERT(accounts == 43 && seen == 1 + 2 + 3 + (100 + 139) * 20);

    p = (struct directory_page){.max = 1, .a = k->a};
    ASSERT(directory_domains(d, &p, &domains, &n) == OK && n == 1);
    ASSERT(str_eq(domains[0].name, HERE) && domains[0].accounts == 3);
    ASSERT(directory_domain_dkim(d, HERE, STR("s1"), STR("v=DKIM1")) == OK);
    ASSERT(directory_domain_add(d, HERE, STR_NONE) == OK); /* again: nothing is lost */
    ASSERT(directory_domains(d, &p, &domains, &n) == OK && str_eq(domains[0].selector, STR("s1")));
    p.after = HERE;
    ASSERT(directory_domains(d, &p, &domains, &n) == OK && n == 1);
    ASSERT(str_eq(domains[0].name, STR("other.example")) && domains[0].accounts == 40);
    p.after = domains[0].name;
    ASSERT(directory_domains(d, &p, &domains, &n) == OK && n == 0);
    directory_free(&d);
}

/* An account costs three commits, and one of them after the password is hashed; its note goes with the next one's. */
static SUSPENDS void
test_commits_of_adding(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_entry e;

    for (uint64_t i = 0; i < 20; i++) {
        struct str address = arena_printf(k->a, "New%lu@example.org", i);
        struct directory_new_account n = {
            .address = address,
            .account = directory_account_id(d, address),
            .verifier = STR("v"),
        };
        uint64_t before = engine_counters(k->e).commits;
        ASSERT(directory_account_prepare(d, &n) == OK);
        ASSERT(directory_find(d, address, k->a, &e) == ERR_NOT_FOUND);
        uint64_t prepared = engine_counters(k->e).commits;
        ASSERT(directory_account_enter(d, &n) == OK);
        ASSERT(prepared == before + 2 && engine_counters(k->e).commits == before + 3);
        ASSERT(directory_find(d, address, k->a, &e) == OK && e.account == n.account);
        ASSERT(directory_by_id(d, n.account, k->a, &e) == OK);
        ASSERT(str_eq_nocase(e.address, address));
        ASSERT(town_reap_notes(k) == 1);
    }
    directory_free(&d);
}

static SUSPENDS void
test_abandoned(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_new_account n = {.address = STR("eve"), .account = 77}, rival = n;
    struct directory_entry e;
    struct account_info info;
    AUTO(cell_close) struct cell *cell = account_open(k->cs, 77);
    AUTO(cell_close) struct cell *second = account_open(k->cs, 78);

    ASSERT(directory_account_prepare(d, &n) == OK && account_info(cell, &info) == OK);
    ASSERT(info.mailboxes == 6);
    ASSERT(directory_account_abandon(d, &n) == OK);
    ASSERT(account_info(cell, &info) == ERR_NOT_FOUND);
    ASSERT(directory_by_id(d, 77, k->a, &e) == ERR_NOT_FOUND);

    n.account = 78; /* two at once: one of them has the address, of the other nothing is left */
    rival.account = 79;
    ASSERT(directory_account_prepare(d, &n) == OK && directory_account_prepare(d, &rival) == OK);
    ASSERT(directory_account_enter(d, &rival) == OK);
    ASSERT(directory_account_enter(d, &n) == ERR_EXISTS);
    ASSERT(account_info(second, &info) == ERR_NOT_FOUND);
    ASSERT(directory_by_id(d, 78, k->a, &e) == ERR_NOT_FOUND);
    ASSERT(directory_by_id(d, 79, k->a, &e) == OK);
    ASSERT(directory_find(d, STR("eve"), k->a, &e) == OK && e.account == 79);
    directory_free(&d);
}

/* An account is there completely or not at all, wherever the power goes; the reaper takes the rest. */
static SUSPENDS void
crash_while_adding(struct kit *k, bool one_shard)
{
    for (uint64_t call = 1; call < 60; call++) {
        struct directory *d = town_open(k);
        ASSERT(directory_domain_add(d, HERE, STR_NONE) == OK);
        struct str address = arena_printf(k->a, "u%lu%d@example.org", call, one_shard);
        uint64_t id = one_shard ? directory_account_id(d, address) : 1000 + call;
        const struct directory_new_account n = {
            .address = address, .account = id, .verifier = STR("v")};
        const struct engine_faults cut = {.crash_call = call}, none = {0};
        engine_mem_faults(k->e, &cut);
        enum status st = directory_account_add(d, &n);
        engine_mem_faults(k->e, &none);
        ASSERT(st == OK || st == ERR_IO);
        directory_free(&d);
        kit_reopen(k);
        d = town_open(k);

        AUTO(cell_close) struct cell *cell = account_open(k->cs, id);
        struct directory_entry e;
        struct account_info info;
        enum status there = directory_find(d, n.address, k->a, &e);
        ASSERT(there == OK || there == ERR_NOT_FOUND);
        ASSERT(st != OK || there == OK);
        ASSERT(there != OK || (e.account == id && account_info(cell, &info) == OK));
        ASSERT(there != OK || info.mailboxes == 6);
        ASSERT(there != OK || directory_by_id(d, id, k->a, &e) == OK);
        struct instant later = {clock_now().us + INT64_C(86400000000)};
        ASSERT(directory_reap(d, later) == OK);
        ASSERT(account_info(cell, &info) == there);
        ASSERT(directory_by_id(d, id, k->a, &e) == there);
        ASSERT(town_reap_notes(k) == 0);
        directory_free(&d);
        if (st == OK)
            return;
    }
    UNREACHABLE();
}

static SUSPENDS void
test_crash_while_adding(struct kit *k)
{
    crash_while_adding(k, true);
    crash_while_adding(k, false);
}

static SUSPENDS void
test_app_passwords(struct kit *k)
{
    struct directory *d = town_small(k);
    struct directory_app_password p = {.id = 5,
                                       .name = STR("phone"),
                                       .protocols = 1,
                                       .created = {1000000},
                                       .hash = STR("0123456789abcdef0123456789abcdef")};
    struct directory_entry e;
    uint64_t id = 0;
    char name[8];

    ASSERT(directory_app_add(d, STR("info@example.org"), &p) == ERR_NOT_FOUND); /* an alias */
    ASSERT(directory_app_add(d, STR("nobody@example.org"), &p) == ERR_NOT_FOUND);
    ASSERT(directory_app_add(d, STR("anna"), &p) == OK);
    ASSERT(directory_app_add(d, STR("anna"), &p) == ERR_EXISTS);
    p.id = 6;
    p.name = STR("laptop");
    ASSERT(directory_app_add(d, STR("ANNA@example.org"), &p) == OK);
    ASSERT(directory_app_used(d, STR("anna"), 5, 20000) == OK);
    ASSERT(directory_app_used(d, STR("anna"), 5, 19999) == OK); /* no news */
    ASSERT(directory_app_used(d, STR("anna"), 7, 20000) == ERR_NOT_FOUND);
    directory_free(&d);
    kit_reopen(k);
    d = town_open(k);
    ASSERT(directory_login(d, STR("anna"), k->a, &e) == OK);
    ASSERT(e.app_password_count == 2 && e.app_passwords[0].used_day == 20000);
    ASSERT(e.app_passwords[1].used_day == 0 && str_eq(e.app_passwords[1].name, STR("laptop")));
    /* What else is changed leaves them alone. */
    uint64_t epoch = e.epoch;
    ASSERT(directory_account_verifier(d, STR("anna"), STR("another")) == OK);
    ASSERT(directory_app_remove(d, STR("anna"), STR("Phone"), &id) == ERR_NOT_FOUND);
    ASSERT(directory_app_remove(d, STR("anna"), STR("phone"), &id) == OK && id == 5);
    ASSERT(directory_app_remove(d, STR("anna"), STR("phone"), &id) == ERR_NOT_FOUND);
    ASSERT(directory_login(d, STR("anna"), k->a, &e) == OK);
    ASSERT(e.epoch == epoch + 1 && e.app_password_count == 1 && e.app_passwords[0].id == 6);
    for (uint64_t i = 1; i < LIMIT_APP_PASSWORDS; i++) {
        snprintf(name, sizeof(name), "n%u", (unsigned)i);
        p.id = 10 + i;
        p.name = str_of(name);
        ASSERT(directory_app_add(d, STR("anna"), &p) == OK);
    }
    p.name = STR("more");
    ASSERT(directory_app_add(d, STR("anna"), &p) == ERR_LIMIT);
    p.name = STR("");
    ASSERT(directory_app_add(d, STR("anna"), &p) == ERR_SYNTAX);
    directory_free(&d);
}

static const struct kit_row rows[] = {
    {"resolve", test_resolve, KIT_ALL},
    {"explain", test_explain, KIT_MEM},
    {"explain_forward", test_explain_forward, KIT_MEM},
    {"who_is_always_there", test_who_is_always_there, KIT_MEM},
    {"refused_addresses", test_refused_addresses, KIT_MEM},
    {"login", test_login, KIT_MEM | KIT_CLUSTER},
    {"may_send_as", test_may_send_as, KIT_MEM},
    {"send_as", test_send_as, KIT_MEM},
    {"forwards", test_forwards, KIT_MEM},
    {"forwards_in_a_circle", test_forwards_in_a_circle, KIT_MEM},
    {"depth_and_size_of_groups", test_depth_and_size_of_groups, KIT_MEM},
    {"changes", test_changes, KIT_MEM | KIT_CLUSTER},
    {"app_passwords", test_app_passwords, KIT_ALL},
    {"loops_are_refused", test_loops_are_refused, KIT_MEM | KIT_CLUSTER},
    {"listings", test_listings, KIT_ALL},
    {"commits_of_adding", test_commits_of_adding, KIT_ALL},
    {"abandoned", test_abandoned, KIT_MEM | KIT_CLUSTER},
    {"crash_while_adding", test_crash_while_adding, KIT_MEM},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("directory", rows, COUNT_OF(rows), argv);
}
