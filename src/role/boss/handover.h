/* handover.h - what one boss leaves to the program that takes its place: the same process, with the same descriptors.
 *
 * Text of lines, since the two are programs of different versions; who reads it ignores lines that he does not know:
 *     godwit handover 1
 *     kind upgrade                        or rollback, fallback
 *     number 3                            how often it was tried since the service was started
 *     program /usr/bin/godwit-server      where a newer one is put
 *     from 0.1.0                          who wrote this
 *     said TEXT                           of a fallback: why
 *     previous 7                          descriptor of the program that ran before
 *     admin 8 /run/godwit/admin.sock
 *     listen 9 smtp 25 *                  descriptor, service, port, address
 *     socket 10 lmtp DEVICE INODE PATH    a Unix socket
 * Owns:      nothing: the strings of one that was read lie in the text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_BOSS_HANDOVER_H
#define ROLE_BOSS_HANDOVER_H

#include "role/boss/boss_internal.h"

#define HANDOVER_BYTES_MAX 65536u
#define HANDOVER_SAID_MAX  400u
#define HANDOVER_FD_MAX    1048576u

enum change {
    CHANGE_UPGRADE,  /* to the program that is installed now */
    CHANGE_ROLLBACK, /* to the one that ran before */
    CHANGE_FALLBACK  /* the same, because the new one could not start */
};
struct handover {
    enum change kind;
    uint32_t number;
    struct str program, from, said, admin_path;
    int previous_fd, admin_fd;       /* -1: none */
    struct boss_listening listening; /* `of` points to lines */
    struct config_listen lines[ROLE_LISTENERS_MAX];
    int strays[ROLE_LISTENERS_MAX]; /* listeners of services that this program does not know */
    size_t stray_count;
};
const char *change_name(enum change c);
void handover_write(const struct handover *h, struct buf *out);
/* out stays where it is from now on. */
MUST_USE enum status handover_read(struct str text, struct handover *out);

#endif
