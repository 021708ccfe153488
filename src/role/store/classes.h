/* classes.h - classes of a recipient in store.ipc besides those of the directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_CLASSES_H
#define ROLE_STORE_CLASSES_H

#include "store/directory.h"

enum {
    STORE_CLASS_FORGED = DIRECTORY_DISABLED + 1, /* these are of rewritten senders */
    STORE_CLASS_REPORTS_ONLY,
    STORE_CLASS_TOO_MANY,
    STORE_CLASS_UNSIGNED,  /* a report about mail that did not leave here */
    STORE_CLASS_TOO_OFTEN, /* these are of strangers */
    STORE_CLASS_GREYLISTED
};

#endif
