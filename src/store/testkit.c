/* testkit.c - see testkit_internal.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/testkit_internal.h"

#include <ftw.h>

#include "rt/clock.h"

struct job {
    const struct kit_row *row;
    int profile;
    char name[96];
};
static uint32_t crowd;
static struct fiber_queue crowd_gone;

static const struct {
    const char *name;
    int bit;
} profiles[] = {{"mem", KIT_MEM}, {"cluster", KIT_CLUSTER}, {"rocks", KIT_ROCKS}};

static void job_run(void **state);

int
kit_main(const char *group, const struct kit_row *rows, size_t n, char **argv)
{
    static struct job jobs[300];
    static struct CMUnitTest tests[COUNT_OF(jobs)];
    size_t count = 0;

    for (size_t p = 0; p < COUNT_OF(profiles); p++) {
        for (size_t i = 0; i < n; i++) {
            struct job *job = &jobs[count];
            ASSERT(count < COUNT_OF(jobs));
            *job = (struct job){.row = &rows[i], .profile = profiles[p].bit};
            snprintf(job->name, sizeof(job->name), "%s.%s", profiles[p].name, rows[i].name);
            if (!(rows[i].where & profiles[p].bit) ||
                (argv[1] != NULL && str_find_str(str_of(job->name), str_of(argv[1])) < 0))
                continue;
            tests[count] = (struct CMUnitTest){job->name, job_run, NULL, NULL, job};
            count++;
        }
    }
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static FIBER_ENTRY void
job_fiber(void *arg)
{
    const struct job *job = arg;
    struct kit k = {.profile = job->profile, .now = {INT64_C(1700000000) * 1000000}};
    const char *tmp = getenv("TMPDIR");

    snprintf(k.path, sizeof(k.path), "%s/godwit-store.%d.%s", tmp ? tmp : "/tmp", getpid(),
             job->name);
    k.a = arena_new((size_t)4 << 30);
    fiber_queue_init(&crowd_gone);
    kit_open(&k);
    job->row->run(&k);
    kit_close(&k);
    arena_free(&k.a);
    if (job->profile == KIT_ROCKS)
        nftw(k.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    else
        engine_mem_forget(k.path);
    loop_stop();
}

static void
job_run(void **state)
{
    random_seed_for_tests(7);
    loop_init();
    assert_int_equal(fiber_go(job_fiber, *state), OK);
    loop_run();
    loop_release();
}

void
kit_open(struct kit *k)
{
    struct problem why = {0};
    struct engine_options o = {.kind = k->profile == KIT_ROCKS ? "rocks" : "mem",
                               .path = k->path,
                               .cluster_profile = k->profile == KIT_CLUSTER,
                               .no_sync_for_tests = true};
    enum status s = engine_open(&o, &k->e, &why);

    if (s != OK)
        fprintf(stderr, "engine_open: %s: %s\n", status_name(s), why.text);
    ASSERT(s == OK);
    k->cs = cells_new(k->e, LIMIT_CELL_CACHE_BYTES);
}

void
kit_close(struct kit *k)
{
    cells_free(&k->cs);
    engine_close(&k->e);
}

void
kit_reopen(struct kit *k)
{
    kit_close(k);
    kit_open(k);
}

struct cell *
kit_account(struct kit *k, uint64_t id)
{
    struct cell *account = account_open(k->cs, id);

    ASSERT(account_create(account, (struct account_quota){0}, k->now) == OK);
    return account;
}

struct blob_id
kit_blob(struct kit *k, struct str bytes)
{
    struct blob_writer *w;
    struct blob_id id;

    ASSERT(engine_blob_new(k->e, bytes.len, &w) == OK);
    ASSERT(engine_blob_add(w, bytes) == OK);
    ASSERT(engine_blob_end(&w, &id) == OK);
    return id;
}

struct message_new
kit_message(struct kit *k, size_t size, uint64_t hash)
{
    char *bytes = arena_alloc(k->a, size + 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + (i + hash) % 26);
    return (struct message_new){.blob = kit_blob(k, str_from(bytes, size)),
                                .size = size,
                                .received = k->now,
                                .record = STR("record"),
                                .sort = STR("sort"),
                                .message_id_hash = hash};
}

struct message_place
kit_add(struct kit *k, struct cell *account, uint32_t mailbox, size_t size)
{
    struct message_new m = kit_message(k, size, random_u64());
    struct message_place place;

    ASSERT(message_add(account, mailbox, &m, k->now, &place) == OK);
    return place;
}

struct mailbox_info
kit_box(struct kit *k, struct cell *account, uint32_t id)
{
    struct mailbox_info info;

    ASSERT(mailbox_get(account, id, k->a, &info) == OK);
    return info;
}

struct kit_view
kit_unpack(struct kit *k, struct str entries)
{
    struct kit_view v = {.count = entries.len / VIEW_ENTRY_BYTES};

    ASSERT(entries.len % VIEW_ENTRY_BYTES == 0);
    v.entries = ARENA_ARRAY(k->a, struct kit_entry, v.count + 1);
    for (size_t i = 0; i < v.count; i++)
        mem_copy(&v.entries[i], entries.ptr + i * VIEW_ENTRY_BYTES, VIEW_ENTRY_BYTES);
    return v;
}

struct kit_view
kit_view(struct kit *k, struct cell *account, uint32_t mailbox)
{
    AUTO_BUF b = BUF((size_t)1 << 30);
    struct view_request r = {mailbox, 1, UINT32_MAX};
    struct view_reply reply;

    ASSERT(message_view(account, &r, &b, &reply) == OK);
    ASSERT(!reply.more);
    struct kit_view v = kit_unpack(k, buf_str(&b));
    ASSERT(v.count == reply.count);
    v.modseq = reply.modseq;
    return v;
}

static int
by_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

void
kit_check(struct kit *k, struct cell *account)
{
    struct account_info info;
    const struct mailbox_list *l;
    uint64_t *mids = ARENA_ARRAY(k->a, uint64_t, 200000);
    size_t n = 0, distinct = 0;
    uint64_t bytes = 0;

    ASSERT(account_info(account, &info) == OK);
    ASSERT(mailbox_list(account, 0, 20000, k->a, &l) == OK && !l->more);
    for (size_t i = 0; i < l->count; i++) {
        const struct mailbox_info *box = &l->mailboxes[i];
        if (!box->selectable)
            continue;
        struct kit_view v = kit_view(k, account, box->id);
        uint32_t unseen = 0, deleted = 0;
        uint64_t sum = 0;
        for (size_t j = 0; j < v.count; j++) {
            const struct kit_entry *e = &v.entries[j];
            struct message_info m;
            ASSERT(j == 0 || e->uid > v.entries[j - 1].uid);
            ASSERT(e->uid < box->uidnext && e->modseq <= box->modseq);
            ASSERT(message_find(account, e->mid, &m) == OK);
            unseen += !(e->flags & FLAG_SEEN);
            deleted += (e->flags & FLAG_DELETED) != 0;
            sum += m.size;
            ASSERT(n < 200000);
            mids[n++] = e->mid;
        }
        ASSERT(box->exists == v.count && box->unseen == unseen && box->deleted == deleted);
        ASSERT(box->bytes == sum && box->modseq <= info.modseq);
    }
    qsort(mids, n, sizeof(*mids), by_u64);
    for (size_t i = 0; i < n; i++) {
        struct message_info m;
        if (i > 0 && mids[i] == mids[i - 1])
            continue;
        ASSERT(message_find(account, mids[i], &m) == OK);
        distinct++;
        bytes += m.size;
    }
    if (!info.has_work || info.messages == distinct)
        ASSERT(info.messages == distinct && info.bytes == bytes);
    ASSERT(info.messages >= distinct && info.bytes >= bytes);
}

void
kit_go(void (*entry)(void *arg), void *arg)
{
    crowd++;
    ASSERT(fiber_go(entry, arg) == OK);
}

void
kit_left(void)
{
    ASSERT(crowd > 0);
    if (--crowd == 0)
        fiber_queue_wake_all(&crowd_gone);
}

void
kit_wait(void)
{
    while (crowd > 0)
        ASSERT(fiber_queue_wait(&crowd_gone, FIBER_FOREVER) == OK);
}
