/* dkim_fuzz.c - any message gets a verdict for each signature, whatever the chunks of its body; none passes with a key
 * that signed nothing of the kind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc.h"

#include "base/scan.h"
#include "mail/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* That of RFC 8463, whose message is a seed. */
static const struct str key_text = {"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                                    58};

static uint32_t
judge(struct str message, size_t step, struct arena *a, struct dkim_verdict *out,
      struct arc_verdict *chain)
{
    size_t header = header_block_len(message);
    AUTO(dkim_free) struct dkim *d = dkim_new(str_sub(message, 0, header), SIG_RULES_NOW, a);
    struct key_answer answers[LIMIT_DKIM_NAMES];
    const struct str *names;

    for (size_t at = header; at < message.len; at += step)
        dkim_body(d, str_sub(message, at, step));
    dkim_body_end(d);
    uint32_t n = dkim_names(d, &names);
    ASSERT(n <= LIMIT_DKIM_NAMES);
    for (uint32_t i = 0; i < n; i++) {
        ASSERT(domain_is_normal(names[i]));
        answers[i] = (struct key_answer){KEY_FOUND, &key_text, 1};
    }
    for (uint32_t i = 0; i < dkim_count(d); i++) {
        dkim_verdict(d, i, answers, 1800000000, &out[i]);
        ASSERT((out[i].result == DKIM_PASS) == (out[i].reason[0] == '\0'));
        ASSERT(out[i].result != DKIM_PASS || out[i].key_bits == 256);
        ASSERT(out[i].domain.len == 0 || domain_is_normal(out[i].domain));
    }
    arc_verdict(d, answers, 1800000000, chain);
    ASSERT((chain->result == ARC_FAIL) == (chain->reason[0] != '\0'));
    ASSERT(chain->sets <= LIMIT_ARC_SETS && chain->oldest_pass <= chain->sets);
    ASSERT(chain->result != ARC_PASS || chain->sets > 0);
    for (uint32_t i = 1; i <= arc_sets(d); i++)
        ASSERT(domain_is_normal(arc_sealer(d, i)) && arc_results(d, i).len <= message.len);
    return dkim_count(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dkim_verdict whole[LIMIT_DKIM_SIGNATURES], parts[LIMIT_DKIM_SIGNATURES];
    struct arc_verdict chain, chain_parts;

    if (size < 1 || size > 65536)
        return 0;
    AUTO_ARENA *a = arena_new(2 * DKIM_ARENA);
    struct str message = str_from((const char *)data + 1, size - 1);
    uint32_t n = judge(message, message.len + 1, a, whole, &chain);
    uint32_t m = judge(message, 1 + data[0] % 31u, a, parts, &chain_parts);

    ASSERT(n == m && n <= LIMIT_DKIM_SIGNATURES);
    ASSERT(chain.result == chain_parts.result && chain.failed == chain_parts.failed);
    for (uint32_t i = 0; i < n; i++)
        ASSERT(whole[i].result == parts[i].result && str_eq(whole[i].domain, parts[i].domain));
    return 0;
}
