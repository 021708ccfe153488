/* suites.h - for tests: public test data that is no part of the source, run where it is present.
 *
 * It is looked for in the folder that GODWIT_SUITES names, else in ../shared/suites beside the checkout.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SUITES_H
#define BASE_SUITES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"

/* Opens a folder of the suites, whose path goes to out.  NULL: this machine has none; then the test skips.  Data that
 * was promised by GODWIT_SUITES must be there. */
UNUSED static DIR *
suite_open(const char *name, char *out, size_t size)
{
    const char *named = getenv("GODWIT_SUITES"), *source = getenv("GODWIT_SOURCE");

    if (named != NULL && named[0] != '\0')
        snprintf(out, size, "%s/%s", named, name);
    else
        snprintf(out, size, "%s/../shared/suites/%s", source != NULL ? source : ".", name);
    DIR *d = opendir(out);
    if (d == NULL && named != NULL && named[0] != '\0') {
        fprintf(stderr, "GODWIT_SUITES is set, but %s cannot be read\n", out);
        abort();
    }
    return d;
}

#endif
