/* milter.c - see milter.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/milter.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"

enum { OUT_MAX = 1 << 21, END_FACTOR = 10, STRINGS_MAX = 16, PATH_MAX_BYTES = 2048 };

static SUSPENDS enum status negotiate(struct milter *m);
static SUSPENDS enum status greet(struct milter *m, const struct milter_greeting *g,
                                  enum milter_verdict *out);
static struct buf *start(struct milter *m, enum milter_command of,
                         const struct milter_macros *macros);
static SUSPENDS enum status ask(struct milter *m, uint32_t mute, enum milter_verdict *out);
static SUSPENDS enum status ask_or_fail(struct milter *m, uint32_t mute, enum milter_verdict *out);
static SUSPENDS enum status hear(struct milter *m, int64_t until_ms, struct milter_said *out);
static SUSPENDS enum status hear_answer(struct milter *m, struct milter_said *out);
static enum status judge(struct milter *m, const struct milter_said *said,
                         enum milter_verdict *out);
static bool may(const struct milter *m, const struct milter_said *said);
static enum status failed(struct milter *m, enum status st);

void
milter_init(struct milter *m, const struct config_filter *f)
{
    *m = (struct milter){.filter = f, .why = ""};
    buf_init(&m->out, OUT_MAX);
    buf_init(&m->in, LIMIT_MILTER_PACKET_BYTES);
}

void
milter_drop(struct milter *m)
{
    link_drop(&m->link);
    buf_release(&m->out);
    buf_release(&m->in);
}

enum status
milter_begin(struct milter *m, const struct milter_greeting *g, enum milter_verdict *out)
{
    for (bool fresh = false;; fresh = true) {
        enum status st = link_take(m->filter, fresh, &m->link);
        bool kept = st == OK && link_was_kept(m->link);
        if (st == OK)
            st = negotiate(m);
        if (st == OK)
            st = greet(m, g, out);
        /* One that waited may have been closed meanwhile. */
        if (st != ERR_CLOSED || !kept)
            return st == OK ? OK : failed(m, st);
        link_drop(&m->link);
    }
}

enum status
milter_rcpt(struct milter *m, const struct milter_recipient *r, enum milter_verdict *out)
{
    AUTO_BUF path = BUF(PATH_MAX_BYTES);
    uint32_t wants = r->refused ? MILTER_REFUSED_RCPTS : 0u;

    *out = MILTER_GOES_ON;
    if (milter_failed(m))
        return m->failure;
    if (m->link == NULL || m->over || (m->steps & MILTER_NO_RCPT) != 0 ||
        (m->steps & wants) != wants)
        return OK;
    buf_addf(&path, "<%.*s>", STR_FMT(r->address));
    struct str words[] = {buf_str(&path)};
    milter_write(start(m, MILTER_RCPT, &r->macros), MILTER_RCPT, words, 1);
    TRY(ask_or_fail(m, MILTER_MUTE_RCPT, out));
    if (*out == MILTER_REFUSED) /* this recipient alone */
        m->over = m->refused = false;
    if (r->refused && *out == MILTER_REFUSED)
        *out = MILTER_GOES_ON;
    return OK;
}

enum status
milter_data(struct milter *m, const struct milter_macros *macros, enum milter_verdict *out)
{
    *out = m->refused ? MILTER_REFUSED : MILTER_GOES_ON; /* DATA may be tried again */
    if (milter_failed(m))
        return m->failure;
    if (m->link == NULL || m->over || (m->steps & MILTER_NO_DATA) != 0)
        return OK;
    milter_write(start(m, MILTER_DATA, macros), MILTER_DATA, NULL, 0);
    return ask_or_fail(m, MILTER_MUTE_DATA, out);
}

bool
milter_failed(const struct milter *m)
{
    return m->link == NULL && m->failure != OK;
}

bool
milter_wants_headers(const struct milter *m)
{
    return m->link != NULL && !m->over && (m->steps & MILTER_NO_HEADERS) == 0;
}

enum status
milter_header(struct milter *m, struct str name, struct str value, enum milter_verdict *out)
{
    AUTO_BUF text = BUF(LIMIT_HEADER_BYTES);

    milter_value_out(&text, value, (m->steps & MILTER_LEADING_SPACE) != 0);
    struct str words[] = {name, buf_str(&text)};
    milter_write(start(m, MILTER_HEADER, NULL), MILTER_HEADER, words, 2);
    return ask_or_fail(m, MILTER_MUTE_HEADERS, out);
}

enum status
milter_end_of_header(struct milter *m, const struct milter_macros *macros, enum milter_verdict *out)
{
    *out = MILTER_GOES_ON;
    if (m->link == NULL || m->over || (m->steps & MILTER_NO_END_OF_HEADER) != 0)
        return OK;
    milter_write(start(m, MILTER_END_OF_HEADER, macros), MILTER_END_OF_HEADER, NULL, 0);
    return ask_or_fail(m, MILTER_MUTE_END_OF_HEADER, out);
}

bool
milter_wants_body(const struct milter *m)
{
    return m->link != NULL && !m->over && !m->skips_body && (m->steps & MILTER_NO_BODY) == 0;
}

enum status
milter_body(struct milter *m, struct str bytes, enum milter_verdict *out)
{
    ASSERT(bytes.len <= MILTER_CHUNK_MAX);
    milter_write_bytes(start(m, MILTER_BODY, NULL), MILTER_BODY, bytes);
    return ask_or_fail(m, MILTER_MUTE_BODY, out);
}

enum status
milter_end(struct milter *m, const struct milter_macros *macros)
{
    m->end_ms = clock_mono_ms() + LIMIT_MILTER_END_S * INT64_C(1000);
    milter_write(start(m, MILTER_END, macros), MILTER_END, NULL, 0);
    enum status st = link_write(m->link, buf_str(&m->out));
    m->owes = true;
    return st == OK ? OK : failed(m, st);
}

enum status
milter_change(struct milter *m, struct milter_said *change, bool *more, enum milter_verdict *out)
{
    enum status st = hear_answer(m, change);

    *more = st == OK && may(m, change);
    if (st == OK && !*more) {
        st = judge(m, change, out);
        m->over = m->ended = true;
        m->owes = false;
    }
    return st == OK ? OK : failed(m, st);
}

/* Since version 6 a connection outlives its session. */
void
milter_done(struct milter *m)
{
    if (m->link != NULL && !m->owes) {
        bool keep = link_terms(m->link)->version >= MILTER_VERSION;
        buf_reset(&m->out);
        if (!m->ended)
            milter_write(&m->out, MILTER_ABORT, NULL, 0);
        milter_write(&m->out, keep ? MILTER_QUIT_NC : MILTER_QUIT, NULL, 0);
        if (link_write(m->link, buf_str(&m->out)) == OK && link_flush(m->link) == OK && keep)
            link_keep(&m->link);
    }
    milter_drop(m);
}

/* ---- statics ---- */

/* Once for each connection. */
static enum status
negotiate(struct milter *m)
{
    struct link_terms *t = link_terms(m->link);
    struct milter_said said;

    if (t->version == 0) {
        buf_reset(&m->out);
        milter_write_terms(&m->out, MILTER_ACTIONS, MILTER_STEPS);
        TRY(link_write(m->link, buf_str(&m->out)));
        TRY(hear(m, link_until(m->filter, 1), &said));
        if (said.what != MILTER_TERMS)
            return ERR_SYNTAX;
        *t = (struct link_terms){said.version, said.actions, said.steps};
    }
    m->actions = t->actions;
    m->steps = t->steps;
    m->over = m->skips_body = false;
    return OK;
}

static SUSPENDS enum status
say_mail(struct milter *m, const struct milter_greeting *g, enum milter_verdict *out)
{
    AUTO_BUF path = BUF(PATH_MAX_BYTES);
    struct str words[STRINGS_MAX];
    size_t n = MIN(g->param_count, (size_t)STRINGS_MAX - 1);

    buf_addf(&path, "<%.*s>", STR_FMT(g->sender));
    words[0] = buf_str(&path);
    mem_copy(words + 1, g->params, n * sizeof(words[0]));
    milter_write(start(m, MILTER_MAIL, &g->on_mail), MILTER_MAIL, words, n + 1);
    return ask(m, MILTER_MUTE_MAIL, out);
}

static enum status
greet(struct milter *m, const struct milter_greeting *g, enum milter_verdict *out)
{
    *out = MILTER_GOES_ON;
    if ((m->steps & MILTER_NO_CONNECT) == 0) {
        milter_write_connect(start(m, MILTER_CONNECT, &g->on_connect), &g->client);
        TRY(ask(m, MILTER_MUTE_CONNECT, out));
    }
    if ((m->steps & MILTER_NO_HELO) == 0 && !m->over && g->helo.len > 0) {
        milter_write(start(m, MILTER_HELO, &g->on_helo), MILTER_HELO, &g->helo, 1);
        TRY(ask(m, MILTER_MUTE_HELO, out));
    }
    if ((m->steps & MILTER_NO_MAIL) == 0 && !m->over)
        TRY(say_mail(m, g, out));
    return OK;
}

/* The buffer that the command goes into, with its macros before it. */
static struct buf *
start(struct milter *m, enum milter_command of, const struct milter_macros *macros)
{
    AUTO_BUF data = BUF(65536);
    bool any = false;

    buf_reset(&m->out);
    if (macros == NULL)
        return &m->out;
    buf_add_char(&data, (char)of);
    for (size_t i = 0; i + 1 < macros->count; i += 2) {
        if (macros->at[i + 1].len == 0)
            continue;
        any = true;
        for (size_t k = i; k < i + 2; k++) {
            buf_add(&data, macros->at[k]);
            buf_add_char(&data, '\0');
        }
    }
    if (any && buf_status(&data) == OK)
        milter_write_bytes(&m->out, MILTER_MACRO, buf_str(&data));
    return &m->out;
}

static enum status
ask(struct milter *m, uint32_t mute, enum milter_verdict *out)
{
    struct milter_said said;

    *out = MILTER_GOES_ON;
    TRY(buf_status(&m->out));
    TRY(link_write(m->link, buf_str(&m->out)));
    if ((m->steps & mute) !=
        0) /* the client may be long in coming with the next; the message is not */
        return mute == MILTER_MUTE_RCPT ? link_flush(m->link) : OK;
    TRY(hear_answer(m, &said));
    if (said.what == MILTER_SKIP && mute == MILTER_MUTE_BODY) {
        m->skips_body = true;
        return OK;
    }
    return judge(m, &said, out);
}

static enum status
ask_or_fail(struct milter *m, uint32_t mute, enum milter_verdict *out)
{
    enum status st = ask(m, mute, out);

    return st == OK ? OK : failed(m, st);
}

static enum status
hear(struct milter *m, int64_t until_ms, struct milter_said *out)
{
    buf_reset(&m->in);
    TRY(link_read(m->link, MILTER_LENGTH, until_ms, &m->in));
    uint32_t n = milter_length(buf_str(&m->in), LIMIT_MILTER_PACKET_BYTES);
    if (n == 0)
        return ERR_SYNTAX;
    buf_reset(&m->in);
    TRY(link_read(m->link, n, until_ms, &m->in));
    return milter_read(buf_str(&m->in), out);
}

/* The next thing that it says but that it is at work, which gives it more time. */
static enum status
hear_answer(struct milter *m, struct milter_said *out)
{
    uint32_t factor = m->owes ? END_FACTOR : 1;

    for (int i = 0; i < LIMIT_MILTER_CHANGES; i++) {
        int64_t until = link_until(m->filter, factor);
        TRY(hear(m, m->owes ? MIN(until, m->end_ms) : until, out));
        if (out->what != MILTER_PROGRESS)
            return OK;
    }
    return ERR_SYNTAX;
}

static void
refuse(struct milter *m, int code, const char *enhanced, const char *text)
{
    m->refused = true;
    m->code = code;
    snprintf(m->enhanced, sizeof(m->enhanced), "%s", enhanced);
    snprintf(m->text, sizeof(m->text), "%s", text);
}

static enum status
judge(struct milter *m, const struct milter_said *said, enum milter_verdict *out)
{
    *out = MILTER_REFUSED;
    m->over = true;
    m->refused = false;
    switch (said->what) {
    case MILTER_CONTINUE:
        *out = MILTER_GOES_ON;
        m->over = false;
        return OK;
    case MILTER_ACCEPT: *out = MILTER_ACCEPTED; return OK;
    case MILTER_DISCARD: *out = MILTER_DISCARDED; return OK;
    case MILTER_REJECT: refuse(m, 550, "5.7.1", "Not allowed"); return OK;
    case MILTER_TEMPFAIL: refuse(m, 451, "4.7.1", "Not now, try again later"); return OK;
    case MILTER_CONN_FAIL:
    case MILTER_SHUTDOWN: refuse(m, 421, "4.7.0", "Not now, try again later"); return OK;
    case MILTER_REPLY_CODE:
        refuse(m, said->code, said->enhanced, said->text);
        if (m->enhanced[0] == '\0')
            snprintf(m->enhanced, sizeof(m->enhanced), m->code < 500 ? "4.7.1" : "5.7.1");
        return OK;
    default: return ERR_SYNTAX; /* no answer to this */
    }
}

/* Is it a change, of those that were agreed on? */
static bool
may(const struct milter *m, const struct milter_said *said)
{
    switch (said->what) {
    case MILTER_ADD_HEADER:
    case MILTER_INSERT_HEADER: return (m->actions & MILTER_MAY_ADD_HEADERS) != 0;
    case MILTER_CHANGE_HEADER: return (m->actions & MILTER_MAY_CHANGE_HEADERS) != 0;
    case MILTER_REPLACE_BODY: return (m->actions & MILTER_MAY_CHANGE_BODY) != 0;
    case MILTER_ADD_RCPT: return (m->actions & MILTER_MAY_ADD_RCPT) != 0;
    case MILTER_ADD_RCPT_PAR: return (m->actions & MILTER_MAY_ADD_RCPT_PAR) != 0;
    case MILTER_DELETE_RCPT: return (m->actions & MILTER_MAY_DELETE_RCPT) != 0;
    case MILTER_CHANGE_FROM: return (m->actions & MILTER_MAY_CHANGE_FROM) != 0;
    case MILTER_QUARANTINE: return (m->actions & MILTER_MAY_QUARANTINE) != 0;
    default: return false;
    }
}

static enum status
failed(struct milter *m, enum status st)
{
    link_drop(&m->link);
    m->over = true;
    m->failure = st;
    m->why = link_words(st);
    return st;
}
