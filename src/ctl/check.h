/* check.h - between the parts of `godwit check`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "ctl/ctl.h"
#include "setup/network.h"

#define CHECK_ADDRESSES_MAX 16u
struct ctl_check {
    struct ctl ctl; /* store: NULL when no server answers */
    struct arena *a;
    struct findings findings;
    const char *config_path;
    struct str addresses[CHECK_ADDRESSES_MAX];
    size_t address_count;
    bool json, offline, deep; /* deep: godwit doctor */
    int exit;
};
/* Everything on this machine that the configuration names: check_files.c.  runs: the server has them open. */
void ctl_check_files(struct ctl_check *k, bool runs);
/* What takes longer, talks to the server, or writes to its disk: doctor.c. */
void ctl_doctor(struct ctl_check *k, bool runs);

#endif
