/* words.c - see words.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/words.h"

#include "base/log.h"
#include "base/size.h"

enum { ARENA_BYTES = 65536, SHOWN_MAX = 400 };

/* One line being told. */
struct teller {
    struct str line;
    struct arena *a;
    struct buf *b;
};

static struct str
value(const struct teller *t, const char *key)
{
    return trace_value(t->line, key, t->a);
}

static bool
has(const struct teller *t, const char *key)
{
    struct str v = value(t, key);

    return v.len > 0 && !str_eq(v, STR("0")) && !str_eq(v, STR("-"));
}

static void
say(const struct teller *t, const char *words)
{
    buf_add_z(t->b, words);
}

static void
say_value(const struct teller *t, const char *key)
{
    buf_add(t->b, str_sub(value(t, key), 0, SHOWN_MAX));
}

/* words and value, when there is one */
static void
say_with(const struct teller *t, const char *words, const char *key)
{
    if (!has(t, key))
        return;
    say(t, words);
    say_value(t, key);
}

static void
say_path(const struct teller *t, const char *words, const char *key)
{
    say(t, words);
    say(t, "<");
    say_value(t, key);
    say(t, ">");
}

static void
say_count(const struct teller *t, const char *key, const char *noun)
{
    say_value(t, key);
    say(t, " ");
    say(t, noun);
    say(t, str_eq(value(t, key), STR("1")) ? "" : "s");
}

static void
say_peer(const struct teller *t)
{
    say_value(t, "peer");
    if (!has(t, "helo"))
        return;
    say(t, " (calls itself ");
    say_value(t, "helo");
    say(t, ")");
}

static void
say_reply(const struct teller *t)
{
    struct str code = value(t, "code");

    say(t, code.len > 0 && code.ptr[0] == '2' ? "accepted"
           : code.ptr[0] == '4'               ? "refused for now"
                                              : "refused");
    say_with(t, ", ", "code");
    say_with(t, " ", "enhanced");
    say_with(t, " ", "text");
}

static void
tell_sender(const struct teller *t)
{
    say_peer(t);
    say_path(t, " wanted to send as ", "from");
    say(t, ": ");
    say_reply(t);
}

static void
tell_checks(const struct teller *t)
{
    say_peer(t);
    say_path(t, " says mail comes from ", "from");
    say_with(t, ": SPF ", "spf");
    say_with(t, " for ", "domain");
    say_with(t, " (", "problem");
    say(t, has(t, "problem") ? ")" : "");
    say_with(t, "; its address: iprev ", "iprev");
    say_with(t, ", ", "name");
    say_with(t, "; listed in ", "lists");
    say(t, str_eq(value(t, "allowed"), STR("yes")) ? "; a list of good senders has it" : "");
}

static void
tell_rcpt(const struct teller *t)
{
    say_peer(t);
    say_path(t, " offered mail from ", "from");
    say_path(t, " for ", "to");
    say(t, ": ");
    say_reply(t);
}

static void
say_envelope(const struct teller *t)
{
    say_path(t, ": from ", "from");
    if (has(t, "to"))
        say_path(t, " to ", "to");
    say(t, ", ");
    say_count(t, "rcpts", "recipient");
    say(t, ", ");
    say_count(t, "size", "byte");
    say(t, ": ");
    say_reply(t);
}

static void
tell_message(const struct teller *t)
{
    say(t, "came from ");
    say_peer(t);
    say(t, str_eq(value(t, "tls"), STR("yes")) ? " with TLS" : " without TLS");
    say(t, has(t, "relay") ? ", which may send to anywhere" : "");
    say_envelope(t);
}

static void
tell_submit(const struct teller *t)
{
    say(t, "sent by ");
    say_value(t, "account");
    say_with(t, " at ", "peer");
    say_envelope(t);
}

static void
tell_refuse(const struct teller *t)
{
    say(t, "read, ");
    say_count(t, "size", "byte");
    say(t, ", and not taken: ");
    say_value(t, "reason");
}

static void
tell_verdict(const struct teller *t)
{
    struct str done = value(t, "disposition");

    say(t, "judged: SPF ");
    say_value(t, "spf");
    say_with(t, ", DKIM ", "dkim");
    say_with(t, ", DMARC ", "dmarc");
    say_with(t, " for ", "author");
    say_with(t, ", which asks for ", "policy");
    if (!str_eq(value(t, "arc"), STR("none")))
        say_with(t, ", ARC ", "arc");
    say(t, str_eq(done, STR("refuse")) ? "; refused"
           : str_eq(done, STR("junk")) ? "; put into Junk"
                                       : "; taken");
    say_with(t, ": ", "reason");
    say_with(t, "; warned of: ", "warning");
    say_with(t, "; spam score ", "score");
    say_with(t, ": ", "words");
}

static void
tell_deliver(const struct teller *t)
{
    say(t, "is in the mailbox of ");
    say_value(t, "account");
    say_with(t, ": ", "mailbox");
    say_with(t, ", UID ", "uid");
    if (has(t, "asked") && !str_eq_nocase(value(t, "asked"), value(t, "account")))
        say_path(t, "; it was addressed to ", "asked");
    say_with(t, "; ", "why");
}

static void
tell_queued(const struct teller *t)
{
    say(t, "went into the queue as ");
    say_value(t, "qid");
    say(t, " for ");
    say_count(t, "rcpts", "recipient");
}

static void
tell_queue_rcpt(const struct teller *t)
{
    say_path(t, "goes to ", "to");
    if (!str_eq_nocase(value(t, "asked"), value(t, "to")))
        say_path(t, "; it was addressed to ", "asked");
    say_with(t, ", which fails: ", "text");
}

static void
tell_rewrite(const struct teller *t)
{
    say_path(t, "is sent on as of ", "as");
    say_path(t, ", in place of ", "from");
}

static void
tell_limit(const struct teller *t)
{
    say(t, "waits: ");
    say_value(t, "by");
    say(t, " sent on too much within this hour");
}

static void
say_tls(const struct teller *t)
{
    static const struct {
        struct str value;
        const char *words;
    } kinds[] = {
        {STR("tls"), " with TLS: "},
        {STR("yes"), " with TLS: "}, /* so it was written before */
        {STR("dane"), " with TLS, proven by DNS (DANE): "},
        {STR("sts"), " with TLS, proven by a policy and a certificate (MTA-STS): "},
        {STR("verified"), " with TLS, proven by a certificate: "},
    };
    struct str tls = value(t, "tls");

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq(tls, kinds[i].value)) {
            say(t, kinds[i].words);
            return;
        }
    say(t, " without TLS: ");
}

static void
tell_outbound(const struct teller *t)
{
    bool held = str_eq(value(t, "ev"), STR("outbound.held"));

    if (str_eq(value(t, "ev"), STR("outbound.end"))) {
        say(t, "dropped: it was held, and its account is gone for good");
        return;
    }
    say(t, held ? "held: its account sent more than it may within a day"
                : "goes: its account has room again");
    say_with(t, ", messages of the day: ", "messages");
    say_with(t, ", first-time recipients: ", "recipients");
}

static void
tell_attempt(const struct teller *t)
{
    say(t, "tried ");
    say_value(t, "host");
    say_with(t, " at ", "address");
    say_with(t, " for ", "domain");
    say_tls(t);
    say_value(t, "result");
    say_with(t, ", after ", "ms");
    say(t, has(t, "ms") ? " ms" : "");
}

static void
tell_result(const struct teller *t)
{
    struct str state = value(t, "state");

    say_path(t, "", "to");
    say(t, str_eq(state, STR("delivered")) ? ": delivered"
           : str_eq(state, STR("failed"))  ? ": failed for good"
                                           : ": not yet, will be tried again");
    say_with(t, "; ", "remote");
    say(t, has(t, "remote") ? " said:" : ";");
    say_with(t, " ", "code");
    say_with(t, " ", "text");
    say_with(t, " (try ", "tries");
    say(t, has(t, "tries") ? ")" : "");
}

static void
tell_done(const struct teller *t)
{
    say(t, "left the queue after ");
    say_count(t, "seconds", "second");
}

static void
tell_notice(const struct teller *t)
{
    say(t, "a report (");
    say_value(t, "kind");
    say_path(t, ") goes to ", "to");
    say_with(t, ", queued as ", "report");
}

static void
say_place(const struct teller *t, const char *words, const char *name)
{
    say(t, words);
    say(t, "\"");
    say_value(t, name);
    say(t, "\"");
}

static void
tell_move(const struct teller *t)
{
    say(t, str_eq(value(t, "ev"), STR("mail.copy")) ? "copied" : "moved");
    say_place(t, " from ", "name");
    say_with(t, " (UID ", "uids");
    say_place(t, ") to ", "target_name");
    say_with(t, " (UID ", "into");
    say(t, ")");
}

static void
tell_expunge(const struct teller *t)
{
    say_place(t, "deleted from ", "name");
    say_with(t, " (UID ", "uids");
    say(t, ")");
}

static void
tell_drop(const struct teller *t)
{
    say_place(t, "its mailbox was deleted: ", "name");
}

static void
tell_admin(const struct teller *t)
{
    say(t, "the operator: ");
    say_value(t, "verb");
    say_with(t, " ", "object");
    say_with(t, ": ", "result");
}

static void
tell_invitation(const struct teller *t)
{
    struct str event = value(t, "ev");

    say(t, str_eq(event, STR("invite.made"))   ? "an invitation was made for "
           : str_eq(event, STR("invite.used")) ? "with its invitation a password was set for "
                                               : "an invitation was not taken for ");
    say_value(t, "account");
    say_with(t, ", until ", "ends");
    say_with(t, " by ", "ip");
    say_with(t, ": ", "reason");
}

static const struct {
    struct str event;
    void (*tell)(const struct teller *t);
} tellers[] = {
    {STR("smtp.sender"), tell_sender},
    {STR("smtp.rcpt"), tell_rcpt},
    {STR("smtp.checks"), tell_checks},
    {STR("smtp.message"), tell_message},
    {STR("submit.message"), tell_submit},
    {STR("store.refuse"), tell_refuse},
    {STR("store.deliver"), tell_deliver},
    {STR("queue.add"), tell_queued},
    {STR("queue.rcpt"), tell_queue_rcpt},
    {STR("out.attempt"), tell_attempt},
    {STR("queue.result"), tell_result},
    {STR("queue.done"), tell_done},
    {STR("queue.notice"), tell_notice},
    {STR("mail.move"), tell_move},
    {STR("mail.copy"), tell_move},
    {STR("mail.expunge"), tell_expunge},
    {STR("mail.drop"), tell_drop},
    {STR("admin.action"), tell_admin},
    {STR("queue.rewrite"), tell_rewrite},
    {STR("forward.limit"), tell_limit},
    {STR("invite.made"), tell_invitation},
    {STR("invite.used"), tell_invitation},
    {STR("invite.refused"), tell_invitation},
    {STR("outbound.held"), tell_outbound},
    {STR("outbound.goes"), tell_outbound},
    {STR("outbound.end"), tell_outbound},
    {STR("store.verdict"), tell_verdict},
};

void
trace_words(struct str line, struct buf *b)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES + 64 * LOG_LINE_MAX);
    const struct teller t = {line, a, b};
    struct str event = value(&t, "ev");

    for (size_t i = 0; i < COUNT_OF(tellers); i++)
        if (str_eq(event, tellers[i].event)) {
            tellers[i].tell(&t);
            return;
        }
    buf_add(b, event); /* of a newer version */
}
