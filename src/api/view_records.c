/* view_records.c - DNS records to set, as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/view.h"

#include "setup/records.h"

enum { VALUE_MAX = 8192 };

static const char *const places[] = {
    [RECORD_HERE] = "here", [RECORD_ELSEWHERE] = "elsewhere", [RECORD_LATER] = "later"};

json_t *
view_record(const struct record *r)
{
    AUTO_BUF value = BUF(VALUE_MAX);

    record_write_value(r, &value);
    return json_pack("{s:o, s:s, s:o, s:s, s:o}", "name", view_str(r->name), "type", r->type,
                     "value", view_str(buf_str(&value)), "set", places[r->place], "about",
                     view_str(r->about));
}

json_t *
view_records(const struct records *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->count; i++)
        json_array_append_new(list, view_record(&all->at[i]));
    return list;
}
