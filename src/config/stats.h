/* stats.h - what each process counts since it started, in one table.
 *
 * STAT(constant, "name", "labels", "help").  Names and labels as Prometheus has them, without the prefix "godwit_";
 * rows of one name stand together and have one help.  A process counts for itself, on its loop; the store adds up
 * (role/store/stats.c).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_STATS_H
#define CONFIG_STATS_H

#include <stdint.h>

/* clang-format off */
#define STATS(STAT) \
    STAT(CONNS_SMTP,        "connections_total", "service=\"smtp\"",        "Connections taken, by service.") \
    STAT(CONNS_SUBMISSION,  "connections_total", "service=\"submission\"",  "") \
    STAT(CONNS_SUBMISSIONS, "connections_total", "service=\"submissions\"", "") \
    STAT(CONNS_IMAP,        "connections_total", "service=\"imap\"",        "") \
    STAT(CONNS_IMAPS,       "connections_total", "service=\"imaps\"",       "") \
    STAT(CONNS_POP3,        "connections_total", "service=\"pop3\"",        "") \
    STAT(CONNS_POP3S,       "connections_total", "service=\"pop3s\"",       "") \
    STAT(CONNS_LMTP,        "connections_total", "service=\"lmtp\"",        "") \
    STAT(CONNS_SENDMAIL,    "connections_total", "service=\"sendmail\"",    "") \
    STAT(CONNS_API,         "connections_total", "service=\"api\"",         "") \
    STAT(CONNS_METRICS,     "connections_total", "service=\"metrics\"",     "") \
    STAT(CONNS_SHED,        "connections_shed_total", "",                   "Clients turned away for load.") \
    STAT(TLS_FAILED,        "tls_failures_total", "",                       "TLS handshakes that failed.") \
    STAT(LOGINS_GOOD,       "logins_total", "result=\"good\"",              "Log-ins, by result.") \
    STAT(LOGINS_BAD,        "logins_total", "result=\"bad\"",               "") \
    STAT(LOGINS_UNKNOWN,    "logins_total", "result=\"unknown\"",           "") \
    STAT(IN_ACCEPTED,       "messages_in_total", "result=\"accepted\"",     "Messages of strangers, by the answer at their end.") \
    STAT(IN_DEFERRED,       "messages_in_total", "result=\"deferred\"",     "") \
    STAT(IN_REFUSED,        "messages_in_total", "result=\"refused\"",      "") \
    STAT(SUBMIT_ACCEPTED,   "messages_submitted_total", "result=\"accepted\"", "Messages of users, by the answer at their end.") \
    STAT(SUBMIT_DEFERRED,   "messages_submitted_total", "result=\"deferred\"", "") \
    STAT(SUBMIT_REFUSED,    "messages_submitted_total", "result=\"refused\"",  "") \
    STAT(RCPTS_REFUSED,     "recipients_refused_total", "",                 "Recipients refused, for now or for good.") \
    STAT(DELIVERED,         "deliveries_total", "",                         "Messages put into mailboxes here.") \
    STAT(OUT_DELIVERED,     "out_recipients_total", "result=\"delivered\"", "Attempts for recipients elsewhere, by result.") \
    STAT(OUT_DEFERRED,      "out_recipients_total", "result=\"deferred\"",  "") \
    STAT(OUT_FAILED,        "out_recipients_total", "result=\"failed\"",    "") \
    STAT(REPORTS,           "reports_total", "",                            "Delivery reports made.")
/* clang-format on */

#define STAT_AS_ENUM(constant, name, labels, help) STAT_##constant,
enum stat_id { STATS(STAT_AS_ENUM) STAT_COUNT };
struct stat_info {
    const char *name, *labels, *help;
};
extern const struct stat_info stats[STAT_COUNT];
/* Of this process. */
extern uint64_t stat_values[STAT_COUNT];

static inline void
stat_add(enum stat_id s)
{
    stat_values[s]++;
}
/* The answer to a message, or a result: good, deferred and refused stand in this order in the table. */
static inline void
stat_add_reply(enum stat_id good, int code)
{
    stat_values[good + (code < 400 ? 0 : code < 500 ? 1 : 2)]++;
}

#endif
