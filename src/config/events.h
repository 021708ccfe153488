/* events.h - every log event, in one table: name, level, fields in order, what it says.
 *
 * EVENT(constant, "name", level, "fields", "meaning").  Fields: key:unit or key (text).  Version 1 of the table;
 * a field is only ever added at the end.  docs/events.md is made from it.  Every line also has t, lvl, ev, role, sid
 * and user where known (base/log.h, rt/logger.h).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_EVENTS_H
#define CONFIG_EVENTS_H

#include "base/log.h"

#define EVENTS_VERSION 1
/* clang-format off */
#define EVENTS(EVENT)                                                                                                \
    EVENT(ROLE_START,     "role.start",     LOG_INFO,  "name pid seccomp landlock uid",       "a role is up; which walls hold")  \
    EVENT(ROLE_END,       "role.end",       LOG_WARN,  "name pid signal exit restart_ms:ms reason", "a role ended and will be started again") \
    EVENT(ROLE_MUTE,      "role.mute",      LOG_ERROR, "name pid",                            "a role does not answer; the service manager is not told that all is well") \
    EVENT(SERVER_READY,   "server.ready",   LOG_INFO,  "host listeners version",              "all roles answer")   \
    EVENT(WALL_MISSING,   "wall.missing",   LOG_INFO,  "wall reason",                         "a wall that cannot stand here, in any role; the others do") \
    EVENT(SERVER_STOP,    "server.stop",    LOG_INFO,  "reason",                              "orderly end")        \
    EVENT(SERVER_RELOAD,  "server.reload",  LOG_INFO,  "log:n config:n files:n listeners:n",  "SIGHUP: the configuration (config=1: it was taken) and its files were read afresh; the first line of a log opened anew") \
    EVENT(SERVER_UPGRADE, "server.upgrade", LOG_WARN,  "kind result from to reason",          "another program took the place of this one, or did not (result=refused: nothing was changed; fallback: it did not start)") \
    EVENT(RELOAD_FAIL,    "reload.fail",    LOG_ERROR, "what reason",                         "SIGHUP: this could not be taken afresh and stays as it was") \
    EVENT(IPC_VIOLATION,  "ipc.violation",  LOG_ERROR, "peer reason",                         "a role broke the protocol and was cut off") \
    EVENT(API_DENIED,     "api.denied",     LOG_WARN,  "peer uid:n",                          "somebody asked the API who may not: a wrong token, or another user of this machine") \
    EVENT(CONN_SHED,      "conn.shed",      LOG_WARN,  "proto peer reason",                   "a client was turned away: load, no listed network, or it spoke before the greeting") \
    EVENT(CONN_BLOCKED,   "conn.blocked",   LOG_INFO,  "proto peer",                          "a client was turned away: its network is blocked") \
    EVENT(TLS_FAIL,       "tls.fail",       LOG_INFO,  "proto peer reason",                   "a handshake failed") \
    EVENT(SMTP_RCPT,      "smtp.rcpt",      LOG_INFO,  "peer helo from to code:n enhanced tid account",   "a recipient was refused") \
    EVENT(SMTP_CHECKS,    "smtp.checks",    LOG_INFO,  "peer helo from spf domain problem iprev name lists allowed ms:ms tid", "what was found out about a stranger at MAIL: SPF of a domain, whether a name of its address leads back, the lists in DNS that have it; allowed: a list of good senders has it") \
    EVENT(LIST_ON,        "list.on",        LOG_INFO,  "list family",                         "a list in DNS works: clients are looked up in it") \
    EVENT(LIST_OFF,       "list.off",       LOG_WARN,  "list family reason",                  "a list in DNS is asked about nobody until its next test; reason: empty (not even what every list has), lists-all (even what no list has), does-not-hear (it refuses us, or says what no list says)") \
    EVENT(FILTER_VERDICT, "filter.verdict", LOG_INFO,  "filter stage action code:n text tid to",  "a policy server, a milter or a scanner decided about mail, or changed it") \
    EVENT(FILTER_FAIL,    "filter.fail",    LOG_WARN,  "filter stage reason then tid",            "a policy server, a milter or a scanner could not be asked, or said what cannot be understood; then: what came of the mail") \
    EVENT(SMTP_XCLIENT,   "smtp.xclient",   LOG_INFO,  "via peer helo",                       "a listed mail program said for whom it speaks") \
    EVENT(LOGIN,          "auth.login",     LOG_INFO,  "proto peer login tls result app",     "a log-in, good or bad; app: the app password, if it was one") \
    EVENT(LOGIN_FAIL,     "auth.fail",      LOG_INFO,  "ip account protocol reason",          "a log-in was refused; reason: unknown (nobody has the name), password, disabled, slowed (too many wrong ones, not looked at), protocol (not what the app password is for), expired, token (not a good one, or another's), certificate (as with token), foreign (SCRAM, while there is only another server's hash: PLAIN once)") \
    EVENT(LOGIN_RENEWED,  "auth.renewed",   LOG_INFO,  "account result",                      "after its first good log-in the hash of another server was replaced by one of ours") \
    EVENT(INVITE_MADE,    "invite.made",    LOG_INFO,  "account ends",                        "an invitation to set the password of an account was made; an earlier one is worth nothing any more") \
    EVENT(INVITE_USED,    "invite.used",    LOG_INFO,  "ip account",                          "with an invitation a password was set") \
    EVENT(INVITE_REFUSED, "invite.refused", LOG_INFO,  "ip account reason",                   "an invitation was not taken; reason: unknown (nobody has the name), none (the account has none: used, ended or never made), wrong, expired, disabled, slowed (too many wrong log-ins or invitations, not looked at)") \
    EVENT(OAUTH_KEYS,     "oauth.keys",     LOG_INFO,  "issuer file keys:n",                  "the public keys of the issuer of tokens are in use") \
    EVENT(OAUTH_REFUSED,  "oauth.refused",  LOG_ERROR, "issuer file reason",                  "the public keys of the issuer of tokens cannot be used; those of before stay") \
    EVENT(OAUTH_UNREACHED,"oauth.unreached",LOG_WARN,  "url reason",                          "the endpoint of tokens did not say whether one is good: the log-in could not be judged") \
    EVENT(CLIENTS_TRUSTED,"clients.trusted",LOG_INFO,  "file authorities:n",                  "the authorities of client certificates are in use") \
    EVENT(CLIENTS_REFUSED,"clients.refused",LOG_ERROR, "file reason",                         "the authorities of client certificates cannot be used; those of before stay") \
    EVENT(SMTP_MESSAGE,   "smtp.message",   LOG_INFO,  "peer helo from rcpts:n size:bytes tls code:n qid mid relay tid priority:n to text", "a message was accepted or refused at its end") \
    EVENT(SMTP_SENDER,    "smtp.sender",    LOG_INFO,  "peer helo from code:n enhanced tid account",  "a sender was refused") \
    EVENT(SUBMIT,         "submit.message", LOG_INFO,  "peer from rcpts:n size:bytes code:n qid tid priority:n to text account", "a user's message was queued or refused") \
    EVENT(STORE_DELIVER,  "store.deliver",  LOG_INFO,  "qid account mailbox uid:n size:bytes tid asked msgid aid:n box:n why", "a message is in a mailbox; why: what its spam score has to do with that") \
    EVENT(SPAM_LEARN,     "spam.learn",     LOG_INFO,  "aid:n mid:n kind author",          "an account's owner moved a message to or from Junk, or marked it, and that was learned; kind: wanted or unwanted; author: yes if later mail of its author may be known by that") \
    EVENT(STORE_REFUSE,   "store.refuse",   LOG_DEBUG, "tid msgid size:bytes reason",         "a message was read and not taken") \
    EVENT(REPORT_SENT,    "report.sent",    LOG_INFO,  "kind domain to qid rows:n size:bytes", "a day's report to a domain is on its way to those whom it names; kind: dmarc (about mail that said to be of it) or tls (about TLS with its servers)") \
    EVENT(REPORT_SKIP,    "report.skip",    LOG_INFO,  "kind domain to rows:n reason",        "something was counted for a domain, and this address (empty: nobody) is told nothing of it; reason: why; kind as above") \
    EVENT(STORE_VERDICT,  "store.verdict",  LOG_INFO,  "tid msgid peer from author spf dkim dmarc policy arc disposition reason warning score words", "what was found out about a stranger's message, and what follows: take, junk or refuse; reason: why not take; warning: whom its author looks like; score: of spam, by the shipped prior alone; words: the heaviest") \
    EVENT(STORE_FAIL,     "store.fail",     LOG_ERROR, "what reason",                         "the store cannot go on") \
    EVENT(STORE_OPEN,     "store.open",     LOG_INFO,  "engine path recovered:n ms:ms",       "the data is open")   \
    EVENT(QUEUE_ADD,      "queue.add",      LOG_INFO,  "qid from rcpts:n size:bytes tid msgid hold",    "a message entered the queue") \
    EVENT(QUEUE_RCPT,     "queue.rcpt",     LOG_DEBUG, "qid to asked text",                   "where a recipient of it leads") \
    EVENT(QUEUE_REWRITE,  "queue.rewrite",  LOG_INFO,  "qid from as",                         "mail is sent on under a sender of ours (SRS)") \
    EVENT(INBOUND_LIMIT,  "inbound.limit",  LOG_WARN,  "kind name",                           "more mail came within this hour than inbound-limits allows; kind: network (of clients), pair (a network and a recipient), domain (of senders), recipient") \
    EVENT(OUTBOUND_HELD,  "outbound.held",  LOG_WARN,  "qid account messages:n recipients:n new:n from", "an account sent more than it may within a day: the message is held until there is room, or an operator releases it; messages and recipients: of the day, new: first-time recipients of this message") \
    EVENT(OUTBOUND_GOES,  "outbound.goes",  LOG_INFO,  "qid account messages:n recipients:n from", "a message that was held goes: there is room again") \
    EVENT(OUTBOUND_END,   "outbound.end",   LOG_INFO,  "qid account from",                    "a message that was held is dropped: its account was deleted, and its time to come back is over") \
    EVENT(FORWARD_LIMIT,  "forward.limit",  LOG_WARN,  "qid by",                              "an address sent on too much within this hour: later mail waits in the queue") \
    EVENT(QUEUE_LOAD,     "queue.load",     LOG_INFO,  "messages:n ms:ms",                   "after a start all that waits in the queue is in mind") \
    EVENT(QUEUE_DAMAGE,   "queue.damage",   LOG_ERROR, "reason messages:n qid",              "a part of the queue cannot be read, stays and is not sent; messages: so many single ones and the first of them, that a later version wrote or that are damaged; all others are sent") \
    EVENT(QUEUE_RESULT,   "queue.result",   LOG_INFO,  "qid to state code:n text remote tries:n", "an attempt for one recipient ended") \
    EVENT(QUEUE_DONE,     "queue.done",     LOG_INFO,  "qid seconds:s",                       "a message left the queue") \
    EVENT(QUEUE_NOTICE,   "queue.notice",   LOG_INFO,  "qid kind to report",                         "a delivery report was made") \
    EVENT(STS_POLICY,     "sts.policy",     LOG_INFO,  "domain id mode seconds:n",           "a policy of another domain (MTA-STS) was fetched") \
    EVENT(STS_FAIL,       "sts.fail",       LOG_WARN,  "domain id reason kept",              "a policy of another domain could not be fetched; kept: the one before holds on") \
    EVENT(OUT_ATTEMPT,    "out.attempt",    LOG_INFO,  "qid domain host address tls ms:ms result route proxy", "a connection to another server; tls: dane, sts, verified, tls, none") \
    EVENT(MAIL_MOVE,      "mail.move",      LOG_DEBUG, "aid:n box:n uids target:n into name target_name", "messages moved to another mailbox") \
    EVENT(MAIL_COPY,      "mail.copy",      LOG_DEBUG, "aid:n box:n uids target:n into name target_name", "messages copied to another mailbox") \
    EVENT(MAIL_EXPUNGE,   "mail.expunge",   LOG_DEBUG, "aid:n box:n uids name",               "messages deleted from a mailbox") \
    EVENT(MAIL_DROP,      "mail.drop",      LOG_DEBUG, "aid:n box:n name",                    "a mailbox deleted, with all in it") \
    EVENT(TRACE_FAIL,     "trace.fail",     LOG_WARN,  "lines:n reason",                      "lines of the trace are lost; mail is not") \
    EVENT(CERT_LOADED,    "cert.loaded",    LOG_INFO,  "names days:days file",                "a certificate is in use") \
    EVENT(CERT_REFUSED,   "cert.refused",   LOG_ERROR, "names days:days file reason",         "a certificate or its key cannot be used") \
    EVENT(DKIM_KEY,       "dkim.key",       LOG_INFO,  "domain selector state",               "a DKIM key began to sign, since its record was seen in DNS, or waits again, since that is gone, or another one followed it (old)") \
    EVENT(CERT_EXPIRES,   "cert.expires",   LOG_WARN,  "names days:days file",                "under 14 days are left") \
    EVENT(ADMIN,          "admin.action",   LOG_INFO,  "verb object result",                  "the godwit command or the API changed something") \
    EVENT(QUOTA,          "quota.full",     LOG_WARN,  "account used:bytes quota:bytes",      "mail was refused for lack of room") \
    EVENT(QUOTA_NOTICE,   "quota.notice",   LOG_INFO,  "account percent:n used:bytes quota:bytes", "the owner of a mailbox that fills up was told")
/* clang-format on */

#define EVENT_AS_ENUM(constant, name, level, fields, meaning) EVENT_##constant,
enum event { EVENTS(EVENT_AS_ENUM) EVENT_COUNT };
struct event_info {
    const char *name;
    enum log_level level;
    const char *fields;
    const char *meaning;
};
extern const struct event_info events[EVENT_COUNT];
/* Begins the line of an event (rt/logger.h); false when its level is off. */
bool event_begin(struct log_line *l, enum event e);
/* The same for one that is not for the trace, whatever its name. */
bool event_begin_untraced(struct log_line *l, enum event e);
/* Do lines of this name go into the trace? */
bool event_is_traced(struct str name);

#endif
