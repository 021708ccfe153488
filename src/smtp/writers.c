/* writers.c - who a submission says it is from: From and Sender (RFC 5322 section 3.6.2).
 *
 * A user writes as the addresses that are its own or that it was given, in the header as in the envelope: the header is
 * what people read.  Resent- fields give no right to another's From.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/store_ipc.h"
#include "mail/address.h"
#include "mail/address_list.h"
#include "mail/domain.h"
#include "smtp/session.h"

enum { ADDRESS_SHOWN = 64 };

struct named { /* by all fields of one name */
    struct str *at;
    size_t count, fields;
};

static enum status read_named(struct smtp_session *s, struct str field, struct arena *a,
                              struct named *out);
static struct str text_of(const struct address *at, struct arena *a);
static SUSPENDS enum status is_own(struct smtp_session *s, struct str address, struct arena *a);
static enum status refuse(struct smtp_session *s, struct str address, const char *field,
                          struct problem *why);

enum status
smtp_check_writers(struct smtp_session *s, struct arena *a, struct problem *why)
{
    struct named from, sender;
    enum status st = ERR_DENIED;

    if (s->trusted) /* root, and whom sendmail-trust names: cron writes as "root" */
        return OK;
    enum status read = read_named(s, STR("From"), a, &from);
    if (read == OK)
        read = read_named(s, STR("Sender"), a, &sender);
    if (read == ERR_SYNTAX) {
        problem_set(why, 550, "5.7.1",
                    "From or Sender can be read as another address: put the name into quotes");
        return ERR_DENIED;
    }
    if (read != OK || from.fields > 1 || sender.count > 1 || sender.fields > 1) {
        problem_set(why, 550, "5.7.1",
                    "Expected one From field, and one address in one Sender field");
        return ERR_DENIED;
    }
    for (size_t i = 0; i < from.count && st == ERR_DENIED; i++)
        st = is_own(s, from.at[i], a);
    if (st == ERR_DENIED)
        return refuse(s, from.count > 0 ? from.at[0] : STR(""), "From", why);
    TRY(st);
    if (sender.count == 1) {
        st = is_own(s, sender.at[0], a);
        return st == ERR_DENIED ? refuse(s, sender.at[0], "Sender", why) : st;
    }
    if (from.count > 1) {
        problem_set(why, 550, "5.7.1",
                    "From has several addresses: Sender must say which of yours sends it");
        return ERR_DENIED;
    }
    return OK;
}

/* "a@x.org <b@y.org>": which of the two is shown depends on who reads it. */
static bool
hides_another(const struct address *at, struct arena *a)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct address other;

    if (str_find(at->tail, '@') < 0)
        return false;
    address_cursor_init(&c, at->tail);
    return !address_next(&c, &other) || other.kind != ADDRESS_MAILBOX ||
           str_find(other.tail, '@') >= 0 || !str_eq(text_of(&other, a), text_of(at, a)) ||
           address_next(&c, &other);
}

/* ERR_LIMIT: more than LIMIT_WRITERS; ERR_SYNTAX: an address that others may read otherwise. */
static enum status
read_named(struct smtp_session *s, struct str field, struct arena *a, struct named *out)
{
    struct header_cursor fields = header_cursor_of(buf_str(&s->mail.body->writers));
    struct header_field f;
    struct address at;

    *out = (struct named){.at = ARENA_ARRAY(a, struct str, LIMIT_WRITERS)};
    while (header_next_named(&fields, field, &f)) {
        AUTO_ADDRESS_CURSOR c = {0};
        address_cursor_init(&c, f.value);
        out->fields++;
        while (address_next(&c, &at)) {
            if (at.kind != ADDRESS_MAILBOX)
                continue;
            if (hides_another(&at, a))
                return ERR_SYNTAX;
            if (out->count == LIMIT_WRITERS)
                return ERR_LIMIT;
            out->at[out->count++] = text_of(&at, a);
        }
    }
    return OK;
}

/* As in an envelope; empty: no such thing, so nobody's. */
static struct str
text_of(const struct address *at, struct arena *a)
{
    AUTO_BUF domain = BUF(DOMAIN_MAX);
    AUTO_BUF text = BUF(LIMIT_SMTP_PATH_BYTES);
    struct path p;

    if (domain_normalise(at->host, &domain) != OK)
        return STR("");
    p = (struct path){.kind = PATH_MAILBOX, .local = at->mailbox, .domain = buf_str(&domain)};
    path_write(&text, &p);
    if (buf_status(&text) != OK || mailbox_parse(buf_str(&text), PATH_UTF8, a, &p) != OK)
        return STR("");
    return arena_str(a, buf_str(&text));
}

/* ERR_DENIED: no. */
static SUSPENDS enum status
is_own(struct smtp_session *s, struct str address, struct arena *a)
{
    struct store_may_send_as ask = {
        .session = s->id, .address = address, .login = s->login, .trusted = s->trusted};
    struct store_may_send_as_reply answer;

    if (address.len == 0)
        return ERR_DENIED;
    if (str_eq_nocase(address, s->mail.said.sender) || str_eq_nocase(address, s->address))
        return OK; /* was asked at MAIL, or needs no asking */
    if (store_may_send_as_call(s->mail.body->store, &ask, a, &answer) != OK)
        return ERR_TEMP;
    return answer.allowed ? OK : ERR_DENIED;
}

static enum status
refuse(struct smtp_session *s, struct str address, const char *field, struct problem *why)
{
    struct str shown = str_sub(address, 0, ADDRESS_SHOWN);

    if (address.len == 0)
        problem_set(why, 550, "5.7.1", "%s names an address that cannot be used", field);
    else
        problem_set(why, 550, "5.7.1",
                    "%.*s may not write as %.*s (%s); godwit account send-as gives that right",
                    STR_FMT(str_sub(s->address, 0, ADDRESS_SHOWN)), STR_FMT(shown), field);
    return ERR_DENIED;
}
