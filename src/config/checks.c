/* checks.c - the lines dnsbl and dnswl: lists in DNS that strangers are looked up in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/config_internal.h"

enum { ZONE_MAX_BYTES = 180 }; /* beside an IPv6 address in a name of 253 bytes */

/* What the names to ask about are made of: as DNS compares them. */
static struct str
lower(struct str name, struct arena *a)
{
    char *copy = arena_z(a, name);

    for (size_t i = 0; i < name.len; i++)
        copy[i] = ascii_lower(copy[i]);
    return str_from(copy, name.len);
}

enum status
config_list_words(const struct config_line *l, struct config_list *out)
{
    if (l->count < 2)
        return config_expected(l, l->words[0], "the zone of a list, such as list.example");
    TRY(config_word_name(l, l->words[1], &out->zone));
    if (out->zone.len > ZONE_MAX_BYTES)
        return config_expected(l, l->words[1], "a zone of at most 180 bytes");
    out->zone = lower(out->zone, l->arena);
    if (l->count == 2)
        return OK;
    if (!str_eq(l->words[2], STR("answer")))
        return config_expected(l, l->words[2], "answer, and what counts, such as 127.0.0.2");
    TRY(config_word_networks(l, 3, &out->answers, &out->answer_count));
    for (size_t i = 0; i < out->answer_count; i++) {
        const struct subnet *n = &out->answers[i];
        if (n->size != 4 || n->bytes[0] != 127 || n->bits < 8)
            return config_expected(l, l->words[3 + i], "an answer of 127.0.0.0/8");
    }
    return OK;
}

void
config_list_write(const struct config_list *n, struct buf *b)
{
    buf_addf(b, "%s %.*s", n->good ? "dnswl" : "dnsbl", STR_FMT(n->zone));
    if (n->answer_count > 0)
        buf_add_z(b, " answer");
    for (size_t i = 0; i < n->answer_count; i++) {
        buf_add_char(b, ' ');
        subnet_write(&n->answers[i], b);
    }
    buf_add_char(b, '\n');
}
