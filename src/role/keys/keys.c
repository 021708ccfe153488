/* keys.c - the private keys of TLS and DKIM.
 *
 * May touch:  the master key and the certificate files that boss opened, channels to the store, mx and user.
 *             No files of its own, no network.
 * A stranger in another role can have handshakes and mail of the account's own domain signed, and never a key.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/keys/keys.h"

#include "base/size.h"
#include "ipc/certwatch_ipc.h"
#include "ipc/keys_serve.h"

enum { DAY_MS = 86400 * 1000 };

static struct seal *seal;

static void
tell_workers(void)
{
    struct certwatch_certs_changed note = {.count = 0};
    size_t cursor = 0;

    for (struct ipc_peer *p; (p = role_peer_next(&cursor)) != NULL;) {
        enum role r = ipc_role(p);
        if ((r == ROLE_MX || r == ROLE_USER) && certwatch_certs_changed_note(p, &note) != OK)
            ipc_close(p); /* it does not read: it will ask again on a new channel */
    }
}

static FIBER_ENTRY void
daily(void *arg)
{
    (void)arg;
    while (fiber_sleep(DAY_MS) == OK)
        keys_tls_check_ends();
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    AUTO_BUF key = BUF(ROLE_MASTER_KEY_BYTES + 1);

    if (s->master_key_fd < 0 || role_fd_read(s->master_key_fd, &key) != OK ||
        seal_new(buf_str(&key), &seal) != OK || keys_mark_begin(seal) != OK) {
        problem_set(why, 0, "", "the master key cannot be read, or is not %u bytes long",
                    ROLE_MASTER_KEY_BYTES);
        return ERR_CORRUPT;
    }
    mem_wipe(key.ptr, key.cap);
    keys_dkim_begin(seal);
    keys_tls_load(s);
    tell_workers();
    return fiber_go(daily, NULL);
}

static void
files_changed(const struct role_start *s)
{
    if (keys_tls_load(s))
        tell_workers();
}

static const struct ipc_service *const serves[] = {&keys_service};

const struct role_verbs role_keys = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .begin = begin,
    .files_changed = files_changed,
};
