/* config_internal.h - what the reader of the text and the reader of single values share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CONFIG_INTERNAL_H
#define CONFIG_CONFIG_INTERNAL_H

#include "config/config.h"

#define CONFIG_WORDS_MAX   32u
#define CONFIG_TEXT_MAX    (256u * 1024)
#define CONFIG_LISTEN_MAX  64u
#define CONFIG_TLS_MAX     16u
#define CONFIG_ROUTES_MAX  256u
#define CONFIG_FORWARD_MAX 8u
#define CONFIG_SUBNETS_MAX 64u /* of one setting */
#define CONFIG_BOUNCES_MAX 256u
#define CONFIG_FILTERS_MAX 8u /* policy servers and milters together */
#define CONFIG_DMARC_MAX   256u
#define CONFIG_SPAM_MAX    256u
#define CONFIG_LISTS_MAX   16u /* dnsbl and dnswl together */

/* One line of the text, cut into words. */
struct config_line {
    const char *name; /* of the text */
    unsigned number;
    struct str words[CONFIG_WORDS_MAX];
    size_t count;
    struct arena *arena;
    struct problem *why;
};

/* Fills words and count from the text of the line. */
MUST_USE enum status config_line_split(struct str text, struct config_line *l);
/* Fills the problem: file, line, what was read, what was expected.  Always ERR_SYNTAX. */
MUST_USE enum status config_expected(const struct config_line *l, struct str was,
                                     const char *expected);

/* What follows the service of a listen line: ADDRESS:PORT, or unix PATH and its options. */
MUST_USE enum status config_listen_words(const struct config_line *l, struct config_listen *out);
void config_listen_write(const struct config_listen *l, struct buf *b);

/* dmarc MODE [domain NAME ...]: list has room for CONFIG_DMARC_MAX; *mode is that of lines without domains.  dmarc.c */
MUST_USE enum status config_dmarc_words(const struct config_line *l, struct config_dmarc *list,
                                        size_t *count, enum dmarc_mode *mode);
void config_dmarc_write(const struct config *c, struct buf *b);
/* spam-filter on|off [domain NAME ...], likewise: CONFIG_SPAM_MAX.  spam.c */
MUST_USE enum status config_spam_words(const struct config_line *l, struct config_spam *list,
                                       size_t *count, bool *off);
void config_spam_write(const struct config *c, struct buf *b);

/* From the host on; domain is set.  route.c */
MUST_USE enum status config_route_words(const struct config_line *l, size_t from,
                                        struct config_route *r);
void config_route_write(const struct config_route *r, struct buf *b);
/* What follows the word policy or milter (out->kind): unix PATH or ADDRESS:PORT, and options. */
MUST_USE enum status config_filter_words(const struct config_line *l, struct config_filter *out);
void config_filter_write(const struct config_filter *f, struct buf *b);
void config_filter_where(const struct config_filter *f, struct buf *b);
/* What follows the word dnsbl or dnswl (out->good): ZONE, or ZONE answer NETWORK ...  checks.c */
MUST_USE enum status config_list_words(const struct config_line *l, struct config_list *out);
void config_list_write(const struct config_list *n, struct buf *b);

/* Settings against abuse.  abuse.c */
void config_abuse_defaults(struct config *c);
void config_abuse_write(const struct config *c, struct buf *b);
MUST_USE enum status config_outbound_words(const struct config_line *l, struct config *c);
MUST_USE enum status config_inbound_words(const struct config_line *l, struct config *c);
MUST_USE enum status config_greylist_words(const struct config_line *l, struct config *c);
MUST_USE enum status config_bounce_words(const struct config_line *l, struct config_bounce *list,
                                         size_t *count);

/* "*:25", "127.0.0.1:25", "[::1]:25". */
MUST_USE enum status config_word_address(const struct config_line *l, struct str word,
                                         struct config_address *out);
/* A numeric address of the family (AF_INET, AF_INET6) without port, or "none". */
MUST_USE enum status config_word_source(const struct config_line *l, struct str word, int family,
                                        struct str *out);
/* "mail.example:587", "[::1]:25"; a host may be a name.  Port 25 when absent. */
MUST_USE enum status config_word_host(const struct config_line *l, struct str word,
                                      struct str *host_out, uint16_t *port_out);
/* One network for each word from the first on (base/subnet.h); not "all addresses". */
MUST_USE enum status config_word_networks(const struct config_line *l, size_t first,
                                          const struct subnet **list_out, size_t *count_out);
/* Is the network narrow enough to be let send without a log-in?  Never loopback, where every program of this machine
 * is, nor a whole range of private addresses. */
MUST_USE enum status config_relay_subnet(const struct config_line *l, struct str word,
                                         const struct subnet *n);
/* https://HOST[:PORT][/PATH][?QUERY]; http only to this machine itself.  Fills what is of the URL. */
MUST_USE enum status config_word_url(const struct config_line *l, struct str word,
                                     struct config_introspection *out);
void config_address_write(struct buf *b, struct str host, uint16_t port);
MUST_USE enum status config_word_number(const struct config_line *l, struct str word, uint32_t max,
                                        uint32_t *out);
/* "50M", "64K", "1G", "123". */
MUST_USE enum status config_word_bytes(const struct config_line *l, struct str word, uint64_t *out);
MUST_USE enum status config_word_name(const struct config_line *l, struct str word,
                                      struct str *out);
MUST_USE enum status config_word_path(const struct config_line *l, struct str word,
                                      struct str *out);

#endif
