/* rocks_read.c - values out of RocksDB: at once when they are in memory, else by the pool.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/rocks/rocks_internal.h"

enum { CACHED_ONLY = 1 }; /* kBlockCacheTier */

struct read_job {
    const struct rocks *r;
    enum rocks_family cf;
    struct str key;
    struct rocks_value *out;
    enum status status;
};

/* RocksDB's messages begin with the kind of the error. */
enum status
rocks_error(char *message)
{
    if (!message)
        return OK;
    struct str s = str_of(message);
    enum status status = str_starts(s, STR("Corruption"))          ? ERR_CORRUPT
                         : str_starts(s, STR("Result incomplete")) ? ERR_TEMP
                                                                   : ERR_IO;
    rocksdb_free(message);
    return status;
}

/* A read that fails leaves no outcome unknown: it is this value that cannot be had.  Were it fatal, who
 * asks for one message on a bad sector would stop everybody's mail. */
enum status
rocks_read_error(char *message)
{
    enum status status = rocks_error(message);

    return status == ERR_IO ? ERR_CORRUPT : status;
}

void
rocks_value_release(struct rocks_value *v)
{
    if (v->slice)
        rocksdb_pinnableslice_destroy(v->slice);
    *v = (struct rocks_value){0};
}

enum status
rocks_fetch(const struct rocks *r, enum rocks_family cf, struct str key, rocksdb_readoptions_t *how,
            struct rocks_value *out)
{
    char *error = NULL;
    struct rocks_value v = {0};

    v.slice = rocksdb_get_pinned_cf(r->db, how, r->cf[cf], key.ptr, key.len, &error);
    TRY(rocks_read_error(error));
    if (v.slice) {
        size_t n;
        const char *p = rocksdb_pinnableslice_value(v.slice, &n);
        v.bytes = str_from(n ? p : "", n);
    }
    /* From the cache alone, a key in a table whose file is not open yet is "found, empty" without an error:
     * TableCache::Get() marks it as one that may exist.  So an empty value says nothing there. */
    if (v.slice && v.bytes.len == 0 && rocksdb_readoptions_get_read_tier(how) == CACHED_ONLY) {
        rocks_value_release(&v);
        return ERR_TEMP;
    }
    *out = v;
    return OK;
}

enum status
rocks_peek(const struct rocks *r, enum rocks_family cf, struct str key, struct rocks_value *out)
{
    return rocks_fetch(r, cf, key, r->read_cached, out);
}

static void
read_work(void *arg)
{
    struct read_job *job = arg;

    job->status = rocks_fetch(job->r, job->cf, job->key, job->r->read_full, job->out);
}

enum status
rocks_read(struct rocks *r, enum rocks_family cf, struct str key, struct rocks_value *out)
{
    enum status status = rocks_peek(r, cf, key, out);

    if (status != ERR_TEMP)
        return status;
    struct read_job job = {.r = r, .cf = cf, .key = key, .out = out};
    TRY(rocks_pool(r, read_work, &job));
    return job.status;
}

/* A full line means that nothing was begun. */
enum status
rocks_pool(struct rocks *r, void (*work)(void *arg), void *arg)
{
    r->base.counters.read_offloads++;
    r->calls++;
    enum status status = rt_offload(r->pool, work, arg);
    r->calls--;
    return status == ERR_LIMIT ? ERR_TEMP : status;
}
