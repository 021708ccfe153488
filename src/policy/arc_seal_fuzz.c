/* arc_seal_fuzz.c - whatever a message says, what is repeated of it is one field, and what is sealed can be written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc_seal.h"

#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(ARC_TO_SEAL_ARENA + (4u << 20));
    AUTO_BUF b = BUF(ARC_RESULTS_MAX + 64);
    struct str message = str_from((const char *)data, size);
    struct arc_to_seal f;
    struct header_field field;

    arc_to_seal(message, STR("mx.far.example"), a, &f);
    if (f.instance == 0) {
        ASSERT(f.results.len == 0 && f.sets.len == 0);
        return 0;
    }
    ASSERT(f.instance <= LIMIT_ARC_SETS && f.body_hash.len == SIG_DIGEST);
    ASSERT((f.chain == SIG_CHAIN_PASS) == (f.sets.len > 0));
    ASSERT(f.chain != SIG_CHAIN_NONE || f.instance == 1);
    ASSERT(f.names.len <= ARC_NAMES_MAX && f.headers.len <= ARC_HEADERS_MAX);
    arc_results_write(&b, f.instance, f.results);
    ASSERT(buf_status(&b) == OK);
    bool found = header_find(buf_str(&b), STR("ARC-Authentication-Results"), &field);
    ASSERT(found && field.whole.len == b.len);
    return 0;
}
