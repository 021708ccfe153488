/* block.c - godwit block: who may not connect, and who is slowed for wrong log-ins.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "ctl/queue.h"

static int64_t for_us; /* --for */

static const char *
seconds_text(uint32_t s, char *text, size_t size)
{
    if (s < 120)
        snprintf(text, size, "%u s", s);
    else if (s < 7200)
        snprintf(text, size, "%u min", s / 60);
    else
        snprintf(text, size, "%u h", s / 3600);
    return text;
}

static void
print_block(struct ctl *c, const struct admin_block *b, json_t *all)
{
    char since[40], until[40];

    if (c->json)
        json_array_append_new(all, view_block(b));
    else
        printf("%-40s blocked since %s, %s%s\n", ctl_text(c, b->network),
               ctl_time_text(b->since, since, sizeof(since)), b->until == 0 ? "for good" : "until ",
               b->until == 0 ? "" : ctl_time_text(b->until, until, sizeof(until)));
}

static void
print_penalty(struct ctl *c, const struct admin_penalty *p, json_t *all)
{
    char next[24], ends[24];

    if (c->json)
        json_array_append_new(all, view_penalty(p));
    else
        printf("%-40s slowed as %s for %u wrong log-ins, next try in %s, all forgiven in %s\n",
               ctl_text(c, p->what), view_penalty_kinds[p->kind & 3], p->wrong,
               seconds_text(p->next_s, next, sizeof(next)),
               seconds_text(p->ends_s, ends, sizeof(ends)));
}

static SUSPENDS int
list_blocks(struct ctl *c)
{
    struct admin_blocks req = {0};
    struct admin_blocks_reply rep;
    json_t *blocks = c->json ? json_array() : NULL, *penalties = c->json ? json_array() : NULL;

    enum status e = admin_blocks_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    for (size_t i = 0; i < rep.blocks_count; i++)
        print_block(c, &rep.blocks[i], blocks);
    for (size_t i = 0; i < rep.penalties_count; i++)
        print_penalty(c, &rep.penalties[i], penalties);
    if (c->json)
        return ctl_print_json(json_pack("{s:o, s:o}", "blocks", blocks, "penalties", penalties));
    if (rep.blocks_count + rep.penalties_count == 0)
        printf("nobody is blocked, and nobody is slowed\n");
    return CTL_OK;
}

static SUSPENDS int
add_block(struct ctl *c)
{
    struct admin_block_add req = {.network = ctl_arg(c, 0)};
    struct admin_block_add_reply rep;

    req.for_s = (uint64_t)for_us / 1000000; /* not below 0 */
    enum status e = admin_block_add_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:o}", "network", view_str(rep.network)));
    printf("%.*s may not connect any more\n", STR_FMT(rep.network));
    return CTL_OK;
}

static SUSPENDS int
remove_block(struct ctl *c)
{
    struct admin_block_remove req = {.what = ctl_arg(c, 0)};
    struct admin_block_remove_reply rep;

    enum status e = admin_block_remove_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(
            json_pack("{s:b, s:i}", "blocked", (int)rep.blocked, "forgiven", (int)rep.forgiven));
    printf("%s %s\n", ctl_text(c, ctl_arg(c, 0)),
           rep.blocked ? "may connect again" : "is not slowed any more");
    return CTL_OK;
}

static const struct ctl_verb block_verbs[] = {
    {"list", 0, 0, "", list_blocks, "who may not connect, and who is slowed for wrong log-ins"},
    {"add", 1, 1, "[--for 24h] ADDRESS|NETWORK", add_block,
     "no connection from there, on any port"},
    {"remove", 1, 1, "ADDRESS|NETWORK|ACCOUNT", remove_block,
     "the opposite; penalties end as well"},
    {0},
};

static const struct ctl_option block_options[] = {
    {"--for", CTL_DURATION, &for_us},
    {0},
};

int
block_command(int argc, char **argv)
{
    return ctl_main(argc, argv, block_verbs, block_options);
}
