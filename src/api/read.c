/* read.c - see read.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/read.h"

#include <string.h>

/* Jansson calls itself for each level, and a fiber's stack is small. */
static bool
is_shallow(struct str text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > READ_DEPTH_MAX)
            return false;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return true;
}

json_t *
read_json(struct str text, json_error_t *why)
{
    if (is_shallow(text))
        return json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, why);
    *why = (json_error_t){.line = 1, .text = "it is nested too deep"};
    return NULL;
}

static struct str
copy(json_t *v, struct arena *a)
{
    return arena_str(a, str_from(json_string_value(v), json_string_length(v)));
}

static bool
read_strings(json_t *v, struct arena *a, struct api_strings *out)
{
    size_t n = json_array_size(v);

    if (!json_is_array(v))
        return false;
    struct str *list = ARENA_ARRAY(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!json_is_string(json_array_get(v, i)))
            return false;
        list[i] = copy(json_array_get(v, i), a);
    }
    *out = (struct api_strings){list, n};
    return true;
}

static const char *
read_value(json_t *v, const struct api_member *m, struct arena *a)
{
    switch (m->kind) {
    case API_STR:
        if (!json_is_string(v))
            return "a string";
        *(struct str *)m->to = copy(v, a);
        return NULL;
    case API_STRS: return read_strings(v, a, m->to) ? NULL : "an array of strings";
    case API_BOOL:
        if (!json_is_boolean(v))
            return "true or false";
        *(bool *)m->to = json_is_true(v);
        return NULL;
    case API_U64:
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return "a number that is not negative";
        *(uint64_t *)m->to = (uint64_t)json_integer_value(v); /* not negative */
        return NULL;
    }
    UNREACHABLE();
}

static const struct api_member *
find_member(const struct api_member *members, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(members[i].name, name) == 0)
            return &members[i];
    }
    return NULL;
}

const char *
api_read(json_t *object, const struct api_member *members, size_t n, struct arena *a)
{
    const char *name;
    json_t *v;

    if (!json_is_object(object))
        return "A JSON object is expected";
    json_object_foreach(object, name, v)
    {
        const struct api_member *m = find_member(members, n, name);
        if (m == NULL)
            return arena_printf(a, "There is no member \"%.60s\" here", name).ptr;
        const char *wanted = json_is_null(v) ? NULL : read_value(v, m, a);
        if (wanted != NULL)
            return arena_printf(a, "\"%s\" is %s", m->name, wanted).ptr;
    }
    for (size_t i = 0; i < n; i++) {
        v = json_object_get(object, members[i].name);
        if (members[i].wanted && (v == NULL || json_is_null(v)))
            return arena_printf(a, "The member \"%s\" is missing", members[i].name).ptr;
    }
    return NULL;
}
