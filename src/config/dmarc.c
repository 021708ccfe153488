/* dmarc.c - what may follow from verdicts about strangers' mail, for all of it or for mail to some domains.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/config_internal.h"

static const char *const mode_names[] = {"enforce", "junk", "off"};
static_assert(COUNT_OF(mode_names) == DMARC_MODE_OFF + 1, "a name for every mode");

enum status
config_dmarc_words(const struct config_line *l, struct config_dmarc *list, size_t *count,
                   enum dmarc_mode *mode)
{
    static const char form[] = "dmarc enforce, junk or off, and perhaps domain NAME ...";
    size_t m = 0;

    if (l->count < 2 || l->count == 3)
        return config_expected(l, l->words[l->count - 1], form);
    while (m < COUNT_OF(mode_names) && !str_eq(l->words[1], str_of(mode_names[m])))
        m++;
    if (m == COUNT_OF(mode_names))
        return config_expected(l, l->words[1], "enforce, junk or off");
    if (l->count == 2) {
        *mode = (enum dmarc_mode)m;
        return OK;
    }
    if (!str_eq(l->words[2], STR("domain")))
        return config_expected(l, l->words[2], form);
    for (size_t i = 3; i < l->count; i++) {
        if (*count == CONFIG_DMARC_MAX)
            return config_expected(l, l->words[i], "at most 256 domains");
        TRY(config_word_name(l, l->words[i], &list[*count].domain));
        list[(*count)++].mode = (enum dmarc_mode)m;
    }
    return OK;
}

void
config_dmarc_write(const struct config *c, struct buf *b)
{
    buf_addf(b, "dmarc %s\n", mode_names[c->dmarc]);
    for (size_t i = 0; i < c->dmarc_domain_count; i++)
        buf_addf(b, "dmarc %s domain \"%.*s\"\n", mode_names[c->dmarc_domains[i].mode],
                 STR_FMT(c->dmarc_domains[i].domain));
}

/* The last line about a domain counts, as with lines about all of them. */
enum dmarc_mode
config_dmarc_of(const struct config *c, struct str domain)
{
    for (size_t i = c->dmarc_domain_count; i > 0; i--)
        if (str_eq_nocase(c->dmarc_domains[i - 1].domain, domain))
            return c->dmarc_domains[i - 1].mode;
    return c->dmarc;
}
