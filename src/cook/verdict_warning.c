/* verdict_warning.c - whom the author of a message looks like, for who reads it: fields X-Godwit-Warning.
 *
 * They say what was found and never that a message is a fraud; nothing else follows from them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "cook/verdict_internal.h"

#define WARNING_FIELD "X-Godwit-Warning: "

static void add_imitated(const struct verdict_look *l, const struct cook_imitated *i,
                         struct buf *b);

struct str
verdict_warning(const struct verdict_look *l, const struct cook_judge *req, struct arena *a)
{
    AUTO_BUF b = BUF(COOK_VERDICT_WARNING_MAX);
    const struct imitation *f = &l->imitation;

    for (size_t i = 0; i < req->imitates_count && b.len == 0; i++)
        if (req->imitates[i].which < f->count)
            add_imitated(l, &req->imitates[i], &b);
    if (f->mixed.len > 0)
        buf_addf(&b, "%salphabets %s=%.*s (it mixes them to look like another name)",
                 b.len > 0 ? "\n" : "", f->mixed_shown ? "name" : "from", STR_FMT(f->mixed));
    else if (f->mixed_shown)
        buf_addf(&b, "%salphabets name (a word of it mixes them to look like another)",
                 b.len > 0 ? "\n" : "");
    return b.len == 0 || buf_status(&b) != OK ? STR("") : arena_str(a, buf_str(&b));
}

struct str
verdict_warning_fields(struct str warning, struct arena *a)
{
    AUTO_BUF b = BUF(WARNINGS_MAX);
    struct str line;

    while (warning.len > 0 && str_split(&warning, '\n', &line)) {
        buf_add_z(&b, WARNING_FIELD);
        buf_add(&b, line);
        buf_add_z(&b, "\r\n");
    }
    return b.len == 0 || buf_status(&b) != OK ? STR("") : arena_str(a, buf_str(&b));
}

static void
add_imitated(const struct verdict_look *l, const struct cook_imitated *i, struct buf *b)
{
    const struct imitation_name *n = &l->imitation.at[i->which];

    buf_addf(b, "imitation %s=%.*s", n->shown ? "name" : "from", STR_FMT(n->domain));
    if (i->like.len > 0)
        buf_addf(b, " like=%.*s (it looks like a domain of this server)", STR_FMT(i->like));
    else
        buf_addf(b, " (it looks like a domain that you have written to)");
}
