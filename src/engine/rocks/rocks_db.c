/* rocks_db.c - opening RocksDB: its options, and why they are what they are.
 *
 * Memory:    small memtables and one shared block cache; index and filter blocks live in the cache too,
 *            so that the whole is bounded.
 * Avoided:   in 7.8.3 DeleteRange, WAL compression, external ingestion and track_and_verify_wals have bugs
 *            that later versions fixed; a background error is never resumed from (rocks_upkeep.c looks).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "engine/rocks/rocks_internal.h"

static const char *const family_names[CF_COUNT] = {"default", "cell", "record", "loc", "inline"};
static const size_t memtable_bytes[CF_COUNT] = {
    [CF_META] = 1u << 20, [CF_CELL] = 8u << 20,    [CF_RECORD] = 4u << 20,
    [CF_LOC] = 4u << 20,  [CF_INLINE] = 12u << 20,
};

static rocksdb_options_t *
options_common(void)
{
    rocksdb_options_t *o = rocksdb_options_create();

    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_create_missing_column_families(o, 1);
    rocksdb_options_set_paranoid_checks(o, 1);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_max_subcompactions(o, 1);
    rocksdb_options_set_db_write_buffer_size(o, 28u << 20);
    rocksdb_options_set_max_total_wal_size(o, 64u << 20);
    rocksdb_options_set_max_open_files(o, 512);
    rocksdb_options_set_table_cache_numshardbits(o, 2);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_log_file_size(o, 1u << 20);
    rocksdb_options_set_info_log_level(o, 3); /* errors */
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_stats_persist_period_sec(o, 0);
    rocksdb_options_set_max_manifest_file_size(o, 4u << 20);
    rocksdb_options_set_bytes_per_sync(o, 1u << 20);
    return o;
}

static rocksdb_options_t *
options_family(const rocksdb_options_t *common, enum rocks_family cf, rocksdb_cache_t *cache)
{
    rocksdb_options_t *o = rocksdb_options_create_copy((rocksdb_options_t *)(uintptr_t)common);
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(t, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(t, 1);
    rocksdb_block_based_options_set_block_size(t, cf == CF_INLINE ? 32768 : 8192);
    rocksdb_block_based_options_set_format_version(t, 5);
    /* Bodies are read by exact number and mostly soon; a filter would only cost memory. */
    if (cf != CF_INLINE)
        rocksdb_block_based_options_set_filter_policy(t,
                                                      rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_options_set_block_based_table_factory(o, t);
    rocksdb_block_based_options_destroy(t);
    rocksdb_options_set_write_buffer_size(o, memtable_bytes[cf]);
    rocksdb_options_set_max_write_buffer_number(o, 2);
    rocksdb_options_set_target_file_size_base(o, 16u << 20);
    rocksdb_options_set_max_bytes_for_level_base(o, 64u << 20);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    rocksdb_options_set_compression(o, cf == CF_CELL || cf == CF_RECORD ? rocksdb_lz4_compression
                                                                        : rocksdb_no_compression);
    return o;
}

enum status
rocks_db_open(struct rocks *r, uint64_t cache_bytes, struct problem *why)
{
    rocksdb_options_t *common = options_common();
    rocksdb_options_t *options[CF_COUNT];
    const rocksdb_options_t *borrowed[CF_COUNT];
    char path[ROCKS_PATH_MAX + 16];
    char *error = NULL;

    r->cache = rocksdb_cache_create_lru(cache_bytes);
    for (size_t i = 0; i < CF_COUNT; i++)
        borrowed[i] = options[i] = options_family(common, (enum rocks_family)i, r->cache);
    snprintf(path, sizeof(path), "%s/cells", r->path);
    r->db =
        rocksdb_open_column_families(common, path, CF_COUNT, family_names, borrowed, r->cf, &error);
    for (size_t i = 0; i < CF_COUNT; i++)
        rocksdb_options_destroy(options[i]);
    rocksdb_options_destroy(common);
    if (error) {
        r->db = NULL;
        if (str_find_nocase(str_of(error), STR("lock")) >= 0) {
            problem_set(why, 0, "", "The data in %.120s is in use by another process.", r->path);
            rocksdb_free(error);
            return ERR_EXISTS;
        }
        problem_set(why, 0, "", "The database of cells does not open: %.140s", error);
        return rocks_error(error);
    }
    r->read_cached = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(r->read_cached, 1); /* kBlockCacheTier */
    r->read_full = rocksdb_readoptions_create();
    return OK;
}

void
rocks_db_close(struct rocks *r)
{
    if (r->db) {
        rocksdb_readoptions_destroy(r->read_cached);
        rocksdb_readoptions_destroy(r->read_full);
        for (size_t i = 0; i < CF_COUNT; i++)
            rocksdb_column_family_handle_destroy(r->cf[i]);
        rocksdb_close(r->db);
        r->db = NULL;
    }
    if (r->cache)
        rocksdb_cache_destroy(r->cache);
    r->cache = NULL;
}
