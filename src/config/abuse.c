/* abuse.c - settings against abuse: how much an account sends and strangers may, who waits, whose senders are signed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "config/config_internal.h"

enum { WORD_NONE = 2 /* NAME none */ };

static bool is_none(const struct config_line *l);
static enum status read_numbers(const struct config_line *l, const struct str *names,
                                uint32_t *const *out, const char *form);

void
config_abuse_defaults(struct config *c)
{
    c->greylist_s = LIMIT_GREYLIST_WAIT_S;
    c->inbound_network = LIMIT_INBOUND_NETWORK;
    c->inbound_domain = LIMIT_INBOUND_DOMAIN;
    c->inbound_recipient = LIMIT_INBOUND_RECIPIENT;
    c->outbound_messages = LIMIT_OUTBOUND_MESSAGES;
    c->outbound_recipients = LIMIT_OUTBOUND_RECIPIENTS;
}

void
config_abuse_write(const struct config *c, struct buf *b)
{
    if (c->greylist_s == 0)
        buf_add_z(b, "greylist off\n");
    else
        buf_addf(b, "greylist doubtful wait %u\n", c->greylist_s);
    buf_addf(b, "inbound-limits network %u domain %u recipient %u\n", c->inbound_network,
             c->inbound_domain, c->inbound_recipient);
    buf_addf(b, "outbound-limits messages %u recipients %u\n", c->outbound_messages,
             c->outbound_recipients);
    for (size_t i = 0; i < c->bounce_count; i++)
        buf_addf(b, "bounce-signing %s \"%.*s\"\n", c->bounces[i].require ? "require" : "sign",
                 STR_FMT(c->bounces[i].who));
}

enum status
config_outbound_words(const struct config_line *l, struct config *c)
{
    static const char form[] = "outbound-limits messages NUMBER recipients NUMBER, or "
                               "outbound-limits none";
    static const struct str names[] = {STR("messages"), STR("recipients"), STR("")};
    uint32_t *const out[] = {&c->outbound_messages, &c->outbound_recipients};

    return read_numbers(l, names, out, form);
}

enum status
config_inbound_words(const struct config_line *l, struct config *c)
{
    static const char form[] = "inbound-limits network NUMBER domain NUMBER recipient NUMBER, or "
                               "inbound-limits none";
    static const struct str names[] = {STR("network"), STR("domain"), STR("recipient"), STR("")};
    uint32_t *const out[] = {&c->inbound_network, &c->inbound_domain, &c->inbound_recipient};

    return read_numbers(l, names, out, form);
}

enum status
config_greylist_words(const struct config_line *l, struct config *c)
{
    static const char form[] = "greylist doubtful, greylist doubtful wait SECONDS, or greylist off";

    c->greylist_s = LIMIT_GREYLIST_WAIT_S;
    if (l->count == 2 && str_eq(l->words[1], STR("off"))) {
        c->greylist_s = 0;
        return OK;
    }
    if (l->count < 2 || !str_eq(l->words[1], STR("doubtful")) ||
        (l->count != 2 && (l->count != 4 || !str_eq(l->words[2], STR("wait")))))
        return config_expected(l, l->words[l->count - 1], form);
    if (l->count == 2)
        return OK;
    TRY(config_word_number(l, l->words[3], LIMIT_GREYLIST_WAIT_MAX_S, &c->greylist_s));
    return c->greylist_s > 0 ? OK : config_expected(l, l->words[3], "at least 1 second");
}

enum status
config_bounce_words(const struct config_line *l, struct config_bounce *list, size_t *count)
{
    bool require = l->count > 1 && str_eq(l->words[1], STR("require"));

    if (l->count < 3 || (!require && !str_eq(l->words[1], STR("sign"))))
        return config_expected(l, l->words[l->count - 1],
                               "bounce-signing sign ADDRESS ..., or bounce-signing require "
                               "ADDRESS ...");
    for (size_t i = 2; i < l->count; i++) {
        ssize_t at = str_rfind(l->words[i], '@');
        if (*count == CONFIG_BOUNCES_MAX)
            return config_expected(l, l->words[i], "at most 256 addresses and domains");
        if (at < 0 || (size_t)at + 1 == l->words[i].len || l->words[i].len > LIMIT_SRS_BYTES)
            return config_expected(l, l->words[i], "an address, or @ and a domain");
        list[(*count)++] = (struct config_bounce){arena_str(l->arena, l->words[i]), require};
    }
    return OK;
}

static bool
is_none(const struct config_line *l)
{
    return l->count == WORD_NONE && str_eq(l->words[1], STR("none"));
}

/* Every name once, in order, each with its number; the last name is empty.  "none": all are 0. */
static enum status
read_numbers(const struct config_line *l, const struct str *names, uint32_t *const *out,
             const char *form)
{
    size_t n = 0;

    while (names[n].len > 0)
        *out[n++] = 0;
    if (is_none(l))
        return OK;
    if (l->count != 1 + 2 * n)
        return config_expected(l, l->words[l->count - 1], form);
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(l->words[1 + 2 * i], names[i]))
            return config_expected(l, l->words[1 + 2 * i], form);
        TRY(config_word_number(l, l->words[2 + 2 * i], LIMIT_ABUSE_MAX, out[i]));
    }
    return OK;
}
