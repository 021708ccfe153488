/* sysuser.c - see sysuser.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/sysuser.h"

#include <string.h>
#include <unistd.h>

#include "rt/program.h"
#include "setup/machine.h"

#define USERADD "/usr/sbin/useradd"
#define USERDEL "/usr/sbin/userdel"

/* They wait for each other's lock, 15 s at most, and for nothing else. */
enum { TOOL_MS = 60000, NAME_IN_USE = 9 }; /* useradd(8), exit values */

bool
sysuser_can(void)
{
    return access(USERADD, X_OK) == 0 && access(USERDEL, X_OK) == 0;
}

static bool
exists(const char *name)
{
    uid_t uid;
    gid_t gid;

    return machine_user(str_of(name), &uid, &gid);
}

enum status
sysuser_add(const char *name, struct problem *why)
{
    const char *argv[] = {USERADD,
                          "--system",
                          "--user-group",
                          "--home-dir",
                          "/nonexistent",
                          "--no-create-home",
                          "--shell",
                          "/usr/sbin/nologin",
                          "--",
                          name,
                          NULL};
    struct program_end end = {0};
    enum status e = program_run(argv, TOOL_MS, &end);

    if (e == OK && end.signal == 0 && end.exit == 0 && exists(name))
        return OK;
    if (exists(name) && !(e == OK && end.exit == NAME_IN_USE)) /* half-way */
        (void)sysuser_remove(name);
    problem_set(why, 0, "", "cannot make the user \"%s\": %s", name,
                e != OK               ? status_name(e)
                : end.said[0] != '\0' ? end.said
                                      : USERADD " failed");
    return e != OK ? e : ERR_IO;
}

/* The group of the same name goes with it. */
bool
sysuser_remove(const char *name)
{
    const char *argv[] = {USERDEL, "--", name, NULL};
    struct program_end end = {0};

    return program_run(argv, TOOL_MS, &end) == OK && end.signal == 0 && end.exit == 0;
}
