/* version.h - which Godwit this is: a symbol, so that the tests of upgrades can link another one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_VERSION_H
#define CONFIG_VERSION_H

extern const char godwit_version[];

#endif
