/* many.c - see many.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/many.h"

#include "api/read.h"
#include "api/view.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "mail/names.h"
#include "setup/options.h"

enum {
    BATCH = ADMIN_ACCOUNT_ADD_MANY_ACCOUNTS_MAX,
    ARENA_BYTES = 64 << 20, /* twice a batch of the longest lines, and then some */
    CALL_BYTES = 4 << 20,
    RESULT_BYTES = 4096
};

struct entry {
    uint64_t number;   /* of the line or the element, from 1 */
    const char *wrong; /* it did not get to the store */
    bool generated;
};
struct many {
    struct ipc_peer **store; /* read at every call: it may be away, and back */
    struct arena *a;         /* of the batch */
    struct admin_new_account accounts[BATCH];
    struct entry entries[BATCH];
    size_t count, unfit; /* for the store, since the last batch */
    uint64_t number;
    struct buf line; /* that is not whole yet */
    bool skips;      /* the rest of one that is too long */
    bool array;      /* results are elements, not lines */
    struct many_wishes wishes;
    struct map *seen; /* addresses so far, or NULL */
    bool full;        /* there is no room for more results */
    struct buf results;
    unsigned status; /* of the last result */
    uint64_t refused;
};

struct many *
many_new(struct ipc_peer **store, bool array)
{
    struct many *b = MEM_NEW(struct many);

    b->store = store;
    b->array = array;
    b->a = arena_new(ARENA_BYTES);
    b->line = BUF(LIMIT_API_LINE_BYTES);
    b->results = BUF(LIMIT_API_RESULTS_BYTES);
    return b;
}

void
many_wish(struct many *b, const struct many_wishes *w)
{
    b->wishes = *w;
    if (w->once && b->seen == NULL)
        b->seen = map_new();
}

void
many_free(struct many **b)
{
    if (*b == NULL)
        return;
    arena_free(&(*b)->a);
    if ((*b)->line.ptr != NULL) /* passwords were in it */
        mem_wipe((*b)->line.ptr, (*b)->line.cap);
    buf_release(&(*b)->line);
    buf_release(&(*b)->results);
    map_free(&(*b)->seen);
    mem_free(*b);
    *b = NULL;
}

/* ---- results ---- */

static unsigned
good_status(const struct many *b)
{
    return b->wishes.trial ? 200 : 201;
}

static json_t *
result_json(const struct many *b, size_t i, const struct admin_new_result *r)
{
    const struct admin_new_account *n = &b->accounts[i];
    const struct entry *e = &b->entries[i];
    enum status st = e->wrong != NULL ? ERR_SYNTAX : (enum status)r->status; /* a bounded enum */
    unsigned status = st == OK ? good_status(b) : many_status_of(st);
    json_t *j = json_pack("{s:I, s:o, s:i}", b->array ? "index" : "line", (json_int_t)e->number,
                          "address", view_str(n->address), "status", (int)status);

    if (st == OK && e->generated && !b->wishes.trial)
        json_object_set_new(j, "password", view_str(n->password));
    if (st == OK && n->invite && !b->wishes.trial) {
        json_object_set_new(j, "invitation", view_str(r->invitation));
        json_object_set_new(j, "ends", json_integer((json_int_t)r->ends));
    }
    if (st == OK)
        return j;
    json_object_set_new(j, "code", json_string(status_name(st)));
    json_object_set_new(j, "detail",
                        e->wrong != NULL ? view_str(str_of(e->wrong)) : view_str(r->text));
    return j;
}

static void
add_result(struct many *b, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);

    ASSERT(text != NULL);
    b->status = (unsigned)json_integer_value(json_object_get(j, "status")); /* ours */
    b->refused += b->status == good_status(b) ? 0u : 1u;
    if (b->array && b->results.len > 0)
        buf_add_char(&b->results, ',');
    buf_add_z(&b->results, text);
    if (!b->array)
        buf_add_char(&b->results, '\n');
    /* as many as one more batch can make */
    b->full = b->results.len + (size_t)BATCH * RESULT_BYTES > LIMIT_API_RESULTS_BYTES;
    mem_free(text);
    json_decref(j);
}

/* What the store did not answer for is said of each. */
SUSPENDS void
many_send(struct many *b)
{
    AUTO_ARENA *a = arena_new(CALL_BYTES);
    const struct admin_account_add_many req = {
        .accounts = b->accounts, .accounts_count = b->count, .trial = b->wishes.trial};
    struct admin_account_add_many_reply rep = {0};

    b->unfit = 0;
    if (b->count == 0) {
        arena_reset(b->a);
        return;
    }
    enum status e = admin_account_add_many_call(*b->store, &req, a, &rep);
    if (e == OK && (rep.results == NULL || rep.results_count != b->count))
        e = ERR_CORRUPT;
    for (size_t i = 0; i < b->count; i++) {
        const struct admin_new_result lost = {.status = (uint8_t)e, /* fewer than 256 */
                                              .text = STR("The store did not answer")};
        add_result(b, result_json(b, i, e == OK ? &rep.results[i] : &lost));
    }
    mem_wipe(b->accounts, sizeof(b->accounts));
    arena_reset(b->a);
    b->count = 0;
}

/* ---- one account ---- */

static void
make_password(struct many *b, struct admin_new_account *n)
{
    AUTO_BUF made = BUF(SECRET_MAX);

    options_make_password(&made);
    n->password = arena_str(b->a, buf_str(&made));
    mem_wipe(made.ptr, made.cap);
}

/* What can be told without the store; NULL: nothing is. */
static const char *
complete(struct many *b, struct admin_new_account *n, bool generate)
{
    int ways = (n->password.len > 0) + (n->hash.len > 0) + (generate ? 1 : 0) + (n->invite ? 1 : 0);

    if (ways > 1)
        return "One of \"password\", \"password_hash\", \"generate\" and \"invite\" is enough";
    if (n->invite_s != 0 && !n->invite)
        return "\"valid_s\" goes with \"invite\"";
    if (n->address.len > ADMIN_NEW_ACCOUNT_ADDRESS_MAX)
        return "The address is too long";
    if (n->password.len > SECRET_MAX || n->hash.len > ADMIN_NEW_ACCOUNT_HASH_MAX)
        return "The password is too long";
    n->address = name_address(n->address, b->a);
    if (generate)
        make_password(b, n);
    if (ways == 0 && b->wishes.invite && !n->suspended) {
        n->invite = true;
        n->invite_s = b->wishes.invite_s;
    }
    if (b->seen != NULL && map_put(b->seen, n->address, b) != NULL)
        return "The address is twice among these";
    return NULL;
}

static const char *
read_account(struct many *b, json_t *object, struct admin_new_account *n, bool *generate)
{
    const struct api_member members[] = {
        {"address", API_STR, &n->address, true},
        {"password", API_STR, &n->password, false},
        {"password_hash", API_STR, &n->hash, false},
        {"generate", API_BOOL, generate, false},
        {"quota_bytes", API_U64, &n->quota_bytes, false},
        {"invite", API_BOOL, &n->invite, false},
        {"valid_s", API_U64, &n->invite_s, false},
    };
    const char *wrong = api_read(object, members, COUNT_OF(members), b->a);

    return wrong != NULL ? wrong : complete(b, n, *generate);
}

/* The account that stands at the end of the batch. */
static SUSPENDS void
take(struct many *b)
{
    struct admin_new_account *n = &b->accounts[b->count];
    const struct entry *e = &b->entries[b->count];

    if (e->wrong != NULL) { /* no address of ours: the store would refuse it as well */
        *n = (struct admin_new_account){.address = arena_str(b->a, str_sub(n->address, 0, 512))};
        const struct admin_new_result unasked = {.status = ERR_SYNTAX, .text = STR("")};
        add_result(b, result_json(b, b->count, &unasked));
        if (++b->unfit == BATCH)
            many_send(b);
        return;
    }
    if (++b->count == BATCH)
        many_send(b);
}

SUSPENDS void
many_add(struct many *b, json_t *object, const char *wrong)
{
    struct admin_new_account *n = &b->accounts[b->count];
    struct entry *e = &b->entries[b->count];

    if (b->array) /* lines are counted where they are cut */
        b->number++;
    *n = (struct admin_new_account){.address = STR("")};
    *e = (struct entry){.number = b->number, .wrong = wrong};
    if (wrong == NULL)
        e->wrong = read_account(b, object, n, &e->generated);
    take(b);
}

SUSPENDS void
many_add_account(struct many *b, uint64_t line, const struct admin_new_account *given,
                 const char *wrong)
{
    struct admin_new_account *n = &b->accounts[b->count];

    *n = *given;
    n->address = arena_str(b->a, given->address);
    n->password = arena_str(b->a, given->password);
    n->hash = arena_str(b->a, given->hash);
    b->entries[b->count] = (struct entry){.number = line, .wrong = wrong};
    if (wrong == NULL)
        b->entries[b->count].wrong = complete(b, n, false);
    take(b);
}

/* ---- a line for each ---- */

static SUSPENDS void
take_line(struct many *b, struct str line)
{
    json_error_t why = {.text = ""};

    line = str_trim(line);
    if (line.len == 0)
        return;
    json_t *object = read_json(line, &why);
    many_add(b, object, object == NULL ? "The line is no JSON" : NULL);
    json_decref(object);
}

SUSPENDS void
many_take(struct many *b, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t lf = str_find(bytes, '\n');
        struct str part = lf < 0 ? bytes : str_sub(bytes, 0, (size_t)lf);
        bytes = lf < 0 ? STR_NONE : str_skip(bytes, (size_t)lf + 1);
        if (!b->skips)
            buf_add(&b->line, part);
        if (buf_status(&b->line) != OK)
            b->skips = true;
        if (lf < 0)
            return;
        b->number++;
        if (b->skips && !b->full)
            many_add(b, NULL, "The line is too long");
        else if (!b->full)
            take_line(b, buf_str(&b->line));
        b->skips = false;
        buf_reset(&b->line);
    }
}

/* ---- what came of it ---- */

struct str
many_results(const struct many *b)
{
    return buf_str(&b->results);
}

uint64_t
many_refused(const struct many *b)
{
    return b->refused;
}

unsigned
many_status(const struct many *b)
{
    return b->status;
}

bool
many_is_full(const struct many *b)
{
    return b->full;
}

unsigned
many_status_of(enum status e)
{
    switch (e) {
    case OK: return 200;
    case ERR_SYNTAX:
    case ERR_LIMIT: return 422;
    case ERR_NOT_FOUND: return 404;
    case ERR_EXISTS:
    case ERR_CONFLICT: return 409;
    case ERR_DENIED: return 403;
    case ERR_TEMP:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_CANCELLED: return 503;
    case ERR_NO_SPACE:
    case ERR_QUOTA: return 507;
    case ERR_IO:
    case ERR_CORRUPT: return 500;
    }
    UNREACHABLE();
}
