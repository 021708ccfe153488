/* idle.c - IDLE (RFC 2177): at rest it is a tag and a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/commands.h"
#include "rt/clock.h"

SUSPENDS enum status
imap_cmd_idle(struct imap_cmd *c)
{
    struct imap_session *s = c->s;

    if (!imap_scan_end(&c->in))
        return imap_bad(c, "IDLE takes no argument");
    s->tag = mem_str(c->tag);
    s->idle_since_ms = clock_mono_ms();
    imap_go_rest(s, IMAP_REST_IDLE);
    conn_deadline(s->conn, LIMIT_IMAP_STILL_HERE_S * 1000);
    TRY(conn_write(s->conn, STR("+ Idling\r\n"))); /* before any news */
    return imap_sync(s, true);
}

/* DONE.  Whatever else comes ends IDLE too, so that both sides agree again. */
enum status
imap_idle_line(struct imap_session *s, struct str line)
{
    AUTO(mem_str_free) struct str tag = s->tag;
    struct imap_cmd c = {.s = s, .tag = tag};

    s->tag = STR_NONE;
    imap_go_rest(s, IMAP_REST_COMMAND);
    conn_deadline(s->conn, LIMIT_IMAP_IDLE_S * 1000);
    if (!str_eq_nocase(str_trim(line), STR("DONE")))
        return imap_bad(&c, "Expected DONE");
    return imap_ok(&c, NULL, "Idle done");
}

enum status
imap_idle_news(struct imap_session *s)
{
    return imap_sync(s, true);
}

/* Keeps address translators and Outlook awake; a client renews IDLE within half an hour. */
enum status
imap_idle_timeout(struct imap_session *s)
{
    if (clock_mono_ms() - s->idle_since_ms >= LIMIT_IMAP_IDLE_S * 1000)
        return imap_bye(s, "Idle for too long");
    TRY(imap_sync(s, true));
    return s->bye ? OK : imap_untagged(s, "OK Still here");
}
