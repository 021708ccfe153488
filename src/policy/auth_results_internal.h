/* auth_results_internal.h - what reading and writing share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_AUTH_RESULTS_INTERNAL_H
#define POLICY_AUTH_RESULTS_INTERNAL_H

#include "base/str.h"

bool auth_keyword_ok(struct str word);

#endif
