/* version.c - see version.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/version.h"

const char godwit_version[] = GODWIT_VERSION;
