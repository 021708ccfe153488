/* view_trace.c - see view_trace.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/view_trace.h"

#include "api/view.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/log_scan.h"
#include "base/scan.h"
#include "trace/words.h"

enum { WORDS_MAX = 16384 };

json_t *
view_line(struct str line)
{
    struct scan s = scan_of(line);
    struct log_field f;
    json_t *all = json_object();
    char key[64];

    while (scan_log_field(&s, &f)) {
        AUTO_BUF bytes = BUF(LOG_LINE_MAX);
        log_value_read(&f, &bytes);
        struct str v = utf8_valid(buf_str(&bytes)) ? buf_str(&bytes) : f.value;
        if (str_to_z(f.key, key, sizeof(key)))
            json_object_set_new(all, key, json_stringn(v.len > 0 ? v.ptr : "", v.len));
    }
    return all;
}

json_t *
view_trace_step(struct str line)
{
    AUTO_BUF words = BUF(WORDS_MAX);
    json_t *j = view_line(line);

    trace_words(line, &words);
    json_object_set_new(j, "words", view_str(buf_str(&words)));
    return j;
}

json_t *
view_trace_summary(struct str id, const struct trace_summary *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "id", view_str(id), "time",
                     view_str(s->time), "message_id", view_str(s->message_id), "size",
                     view_str(s->size), "result", s->result, "code", view_str(s->code));
}
