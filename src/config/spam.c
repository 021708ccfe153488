/* spam.c - whether the spam score has a say, for all mail or for mail to some domains.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config_internal.h"

enum status
config_spam_words(const struct config_line *l, struct config_spam *list, size_t *count, bool *off)
{
    static const char form[] = "spam-filter on or off, and perhaps domain NAME ...";

    if (l->count < 2 || l->count == 3)
        return config_expected(l, l->words[l->count - 1], form);
    bool is_off = str_eq(l->words[1], STR("off"));
    if (!is_off && !str_eq(l->words[1], STR("on")))
        return config_expected(l, l->words[1], "on or off");
    if (l->count == 2) {
        *off = is_off;
        return OK;
    }
    if (!str_eq(l->words[2], STR("domain")))
        return config_expected(l, l->words[2], form);
    for (size_t i = 3; i < l->count; i++) {
        if (*count == CONFIG_SPAM_MAX)
            return config_expected(l, l->words[i], "at most 256 domains");
        TRY(config_word_name(l, l->words[i], &list[*count].domain));
        list[(*count)++].off = is_off;
    }
    return OK;
}

void
config_spam_write(const struct config *c, struct buf *b)
{
    buf_addf(b, "spam-filter %s\n", c->spam.off ? "off" : "on");
    for (size_t i = 0; i < c->spam.domain_count; i++)
        buf_addf(b, "spam-filter %s domain \"%.*s\"\n", c->spam.domains[i].off ? "off" : "on",
                 STR_FMT(c->spam.domains[i].domain));
}

/* The last line about a domain counts, as with lines about all of them. */
bool
config_spam_of(const struct config *c, struct str domain)
{
    for (size_t i = c->spam.domain_count; i > 0; i--)
        if (str_eq_nocase(c->spam.domains[i - 1].domain, domain))
            return !c->spam.domains[i - 1].off;
    return !c->spam.off;
}
