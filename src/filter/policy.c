/* policy.c - see policy.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/policy.h"

#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "mail/enhanced.h"
#include "mail/header.h"

enum { DEFAULT_REJECT = 554, DEFAULT_DEFER = 450 };

static const struct {
    struct str name;
    enum policy_verb verb;
    int code; /* unless the text says so itself */
} verbs[] = {
    {STR("DUNNO"), POLICY_DUNNO, 0},
    {STR("OK"), POLICY_OK, 0},
    {STR("REJECT"), POLICY_REFUSE, DEFAULT_REJECT},
    {STR("DEFER"), POLICY_REFUSE, DEFAULT_DEFER},
    {STR("DEFER_IF_PERMIT"), POLICY_DEFER_IF_PERMIT, DEFAULT_DEFER},
    {STR("DEFER_IF_REJECT"), POLICY_DEFER_IF_REJECT, DEFAULT_DEFER},
    {STR("PREPEND"), POLICY_PREPEND, 0},
    {STR("WARN"), POLICY_WARN, 0},
    {STR("HOLD"), POLICY_HOLD, 0},
    {STR("DISCARD"), POLICY_DISCARD, 0},
};

static void
add_text(struct buf *b, const char *name, struct str value)
{
    buf_add_z(b, name);
    buf_add_char(b, '=');
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        buf_add_char(b, c == '\0' || c == '\n' || c == '\r' ? '?' : c);
    }
    buf_add_char(b, '\n');
}

void
policy_request_write(struct buf *b, const struct policy_request *r)
{
    add_text(b, "request", STR("smtpd_access_policy"));
    add_text(b, "protocol_state", r->state);
    add_text(b, "protocol_name", r->protocol);
    add_text(b, "helo_name", r->helo);
    add_text(b, "queue_id", r->queue_id);
    add_text(b, "sender", r->sender);
    add_text(b, "recipient", r->recipient);
    buf_addf(b, "recipient_count=%u\n", r->recipient_count);
    add_text(b, "client_address", r->client_address);
    /* Nobody looked the names up. */
    buf_add_z(b, "client_name=unknown\nreverse_client_name=unknown\n");
    buf_addf(b, "client_port=%u\n", r->client_port);
    add_text(b, "server_address", r->server_address);
    buf_addf(b, "server_port=%u\n", r->server_port);
    add_text(b, "instance", r->instance);
    add_text(b, "sasl_method", STR(""));
    add_text(b, "sasl_username", r->sasl_username);
    add_text(b, "sasl_sender", STR(""));
    buf_addf(b, "size=%llu\n", (unsigned long long)r->size);
    buf_add_z(b, "ccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n");
    add_text(b, "encryption_protocol", r->tls_protocol);
    add_text(b, "encryption_cipher", r->tls_cipher);
    buf_add_z(b, "encryption_keysize=0\netrn_domain=\nstress=\n");
    add_text(b, "policy_context", r->context);
    buf_add_char(b, '\n');
}

static bool
is_code(struct str w, int *code)
{
    if (w.len != 3 || (w.ptr[0] != '4' && w.ptr[0] != '5') || !ascii_is_digit(w.ptr[1]) ||
        !ascii_is_digit(w.ptr[2]))
        return false;
    *code = (w.ptr[0] - '0') * 100 + (w.ptr[1] - '0') * 10 + (w.ptr[2] - '0');
    return true;
}

static bool
is_number(struct str w)
{
    for (size_t i = 0; i < w.len; i++)
        if (!ascii_is_digit(w.ptr[i]))
            return false;
    return w.len > 0;
}

static struct str
printable(struct str text, struct arena *a)
{
    AUTO_BUF b = BUF(POLICY_TEXT_MAX);

    for (size_t i = 0; i < text.len && b.len < POLICY_TEXT_MAX; i++) {
        char c = text.ptr[i];
        buf_add_char(&b, c >= ' ' && c <= '~' ? c : '?');
    }
    return arena_str(a, buf_str(&b));
}

/* A refusal: its text may begin with an enhanced code, and may be missing. */
static void
fill_refusal(struct policy_action *out, struct str text, struct arena *a)
{
    bool temporary = out->code < 500;

    if (!enhanced_take(&text, out->code, out->enhanced))
        snprintf(out->enhanced, sizeof(out->enhanced), temporary ? "4.7.1" : "5.7.1");
    if (text.len == 0)
        text = temporary ? STR("Not now, try again later") : STR("Access denied");
    out->text = printable(text, a);
}

static bool
is_field(struct str text)
{
    ssize_t colon = str_find(text, ':');

    return colon > 0 && header_name_ok(str_trim(str_sub(text, 0, (size_t)colon)));
}

enum status
policy_action_read(struct str value, struct arena *a, struct policy_action *out)
{
    struct str text = str_trim(value), verb;
    struct policy_action got = {0};

    if (text.len == 0 || str_find(text, '\0') >= 0)
        return ERR_SYNTAX;
    if (!str_split(&text, ' ', &verb))
        return ERR_SYNTAX;
    text = str_trim(text);
    if (is_code(verb, &got.code)) {
        got.verb = POLICY_REFUSE;
        fill_refusal(&got, text, a);
        *out = got;
        return OK;
    }
    if (is_number(verb)) { /* access(5): any other number is OK */
        *out = (struct policy_action){.verb = POLICY_OK, .text = STR("")};
        return OK;
    }
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_eq_nocase(verb, verbs[i].name))
            continue;
        got.verb = verbs[i].verb;
        got.code = verbs[i].code;
        if (got.code != 0)
            fill_refusal(&got, text, a);
        else
            got.text = printable(text, a);
        if (got.verb == POLICY_PREPEND && !is_field(got.text))
            return ERR_SYNTAX;
        *out = got;
        return OK;
    }
    return ERR_SYNTAX;
}
