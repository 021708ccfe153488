/* next.c - the version of the program that the tests upgrade to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/version.h"

const char godwit_version[] = "99.1.0";
