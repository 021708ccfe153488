/* read.h - the members of a JSON object that somebody wrote, and a sentence for what is wrong with it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_READ_H
#define API_READ_H

#include <jansson.h>

#include "base/arena.h"
#include "base/status.h"

#define READ_DEPTH_MAX 16u
/* Parses a whole text.  NULL: it is none, or nested too deep, and why says so. */
json_t *read_json(struct str text, json_error_t *why);

enum api_kind { API_STR, API_STRS, API_BOOL, API_U64 };
struct api_strings {
    struct str *list;
    size_t count;
};
struct api_member {
    const char *name;
    enum api_kind kind;
    void *to; /* struct str, struct api_strings, bool, uint64_t; untouched when it is not there */
    bool wanted;
};
/* The members of an object, and no others.  NULL: all is well; else what is wrong. */
const char *api_read(json_t *object, const struct api_member *members, size_t n, struct arena *a);

#endif
