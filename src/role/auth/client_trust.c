/* client_trust.c - see client_trust.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/auth/client_trust.h"

#include "base/mem.h"
#include "config/events.h"
#include "rt/logger.h"

static void
tell(struct str file, enum status e, const struct tls_trust *trust)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, e == OK ? EVENT_CLIENTS_TRUSTED : EVENT_CLIENTS_REFUSED))
        return;
    log_str(&l, "file", file);
    if (e != OK)
        log_str(&l, "reason", str_of(status_name(e)));
    else if (trust != NULL)
        log_u64(&l, "authorities", tls_trust_count(trust));
}

void
client_trust_renew(struct client_trust *t, const struct role_start *s, struct tls_trust **old_out)
{
    AUTO_BUF pem = BUF(TLS_TRUST_FILE_MAX);
    struct str file = s->config->client_certificates;
    struct tls_trust *fresh = NULL;
    enum status e = OK;

    if (file.len > 0) {
        e = role_file_read(s, file, &pem);
        if (e == OK)
            e = tls_trust_read(buf_str(&pem), &fresh);
        tell(file, e, fresh);
    }
    if (e != OK && str_eq(file, t->file)) {
        *old_out = NULL;
        return;
    }
    mem_str_free(&t->file);
    t->file = mem_str(file);
    *old_out = t->trust;
    t->trust = fresh;
}
