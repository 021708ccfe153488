/* fake_store.h - a store and an auth in memory, behind real channels in the same loop, for tests of sessions.
 *
 * One account: log-in "u" with password "secret".  "busy" is answered ERR_TEMP, "fast" ERR_LIMIT;
 * at "lost" auth ends without an answer, and is back.
 * By SCRAM: the conversation of RFC 7677 section 3 and no other.
 * Mailboxes at the start: INBOX and one for each special use but \All, all subscribed.
 * Addresses: u@test, alias@test, jürgen@test and postmaster@test are the account's, full@test is over quota,
 * overfull@test has been so for days, off@test takes no mail, full-later@test and its kin (fake_smtp.c) are taken at
 * RCPT and refused by LMTP's answer, nobody else is at test, every other domain is foreign.  What SMTP brings goes
 * to INBOX.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTKIT_FAKE_STORE_H
#define TESTKIT_FAKE_STORE_H

#include "config/config.h"
#include "rt/conn.h"
#include "rt/ipc.h"

struct fake_world {
    const struct config *config;
    struct ipc_peer *store; /* NULL while away */
    struct ipc_peer *auth;
};
/* The server under test.  The verbs after world may be NULL where it has none. */
struct fake_protocol {
    const struct conn_ops *ops;
    int kind;                                  /* of struct listener */
    enum role role;                            /* whose channel it uses */
    void (*world)(const struct fake_world *w); /* at the start and when a channel comes or goes */
    void (*revoked)(uint64_t account, uint64_t session);
    void (*changed)(uint64_t account, uint64_t modseq, const uint32_t *mailboxes, size_t n);
    void (*store_lost)(void);
    void (*store_back)(void);
};

struct fake_how {
    bool plaintext_login; /* from loopback */
    bool tokens;          /* of an issuer are log-ins */
    bool delay;           /* between log-ins by POP3 */
};
void fake_begin(const struct fake_protocol *p, struct fake_how how); /* inside a loop */
void fake_end(void); /* on a fiber, when no session is left */
/* A directive of a transcript; false when it is none, or what it claims is not so:
 *    deliver NAME [FLAGS]   a message arrives        flag NAME UID FLAGS   somebody sets flags
 *    remove NAME UID        somebody expunges        bulk NAME COUNT       many messages arrive
 *    fail VERB STATUS       the next such call fails (number of enum status)
 *    die VERB               the next such call ends the channel
 *    lose, revive           the channel (revive after die: as soon as it is gone)
 *    revoke                 the sessions
 *    xclient                new clients are of a network of xclient-from
 *    relay                  clients are of a network of relay-from
 *    missed NAME            a message arrives, and nobody is told
 *    impatient              nobody waits for a store that is lost
 *    unread NAME UID        its record is lost
 *    uidl NAME UID TEXT     so another server called it in POP3
 *    date NAME UID SECONDS  it was received then     text NAME TEXT        this message arrives, \r \n escaped
 *    check NAME UID TEXT    the body holds TEXT      ends NAME UID TEXT  it ends with TEXT; \r \n escaped in both
 *    ended COUNT            of so many sessions the store heard that they are over
 *    drop NAME             somebody deletes the mailbox
 *    quota BYTES MESSAGES   of the account, 0 = none
 *    envelope TEXT          the last message by SMTP came with this envelope (fake_smtp.c) */
bool fake_do(struct str directive);

#endif
