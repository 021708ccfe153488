/* subject.c - base subjects and message ids.  See subject.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/subject.h"
#include "base/encode.h"
#include "mail/encoded_word.h"

/* subj-blob = "[" *BLOBCHAR "]" *WSP; BLOBCHAR is anything but "[" and "]" */
static bool
scan_blob(struct scan *s)
{
    struct scan t = *s;

    if (!scan_char(&t, '['))
        return false;
    while (t.pos < t.end && *t.pos != '[' && *t.pos != ']')
        t.pos++;
    if (!scan_char(&t, ']'))
        return false;
    scan_skip_spaces(&t);
    *s = t;
    return true;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"; "aw" and "wg" are German, "sv" Scandinavian, and
 * so on: they thread like the rest. */
static bool
scan_refwd(struct scan *s)
{
    static const struct str words[] = {{"re", 2},  {"fwd", 3}, {"fw", 2}, {"aw", 2}, {"wg", 2},
                                       {"sv", 2},  {"vs", 2},  {"rv", 2}, {"tr", 2}, {"antw", 4},
                                       {"odp", 3}, {"enc", 3}, {"res", 3}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct scan t = *s;
        if (!scan_str_nocase(&t, words[i]))
            continue;
        scan_skip_spaces(&t);
        (void)scan_blob(&t);
        if (scan_char(&t, ':')) {
            *s = t;
            return true;
        }
    }
    return false;
}

/* subj-leader = (*subj-blob subj-refwd) / WSP */
static bool
scan_leader(struct scan *s, bool *reply)
{
    struct scan t = *s;

    if (scan_spaces(s))
        return true;
    while (scan_blob(&t))
        continue;
    if (!scan_refwd(&t))
        return false;
    *s = t;
    *reply = true;
    return true;
}

/* subj-trailer = "(fwd)" / WSP */
static bool
cut_trailer(struct scan *s, bool *reply)
{
    struct str rest = scan_rest(s);

    if (rest.len > 0 && ascii_is_space(rest.ptr[rest.len - 1])) {
        s->end--;
        return true;
    }
    if (str_ends_nocase(rest, STR("(fwd)"))) {
        s->end -= 5;
        *reply = true;
        return true;
    }
    return false;
}

/* "[fwd:" ... "]" around the whole */
static bool
cut_wrapper(struct scan *s, bool *reply)
{
    struct str rest = scan_rest(s);

    if (rest.len < 6 || !str_starts_nocase(rest, STR("[fwd:")) || rest.ptr[rest.len - 1] != ']')
        return false;
    s->pos += 5;
    s->end--;
    *reply = true;
    return true;
}

/* Runs of white space become one space; the cut keeps whole characters. */
static void
collapse(struct buf *b)
{
    size_t to = 0;

    for (size_t i = 0; i < b->len; i++) {
        bool blank = (unsigned char)b->ptr[i] <= ' ';
        if (blank && to > 0 && b->ptr[to - 1] == ' ')
            continue;
        b->ptr[to++] = blank ? ' ' : b->ptr[i];
    }
    if (to > SUBJECT_BASE_MAX) {
        to = SUBJECT_BASE_MAX;
        while (to > 0 && ((unsigned char)b->ptr[to] & 0xc0) == 0x80)
            to--;
    }
    b->len = to;
}

bool
subject_base(struct str value, struct buf *out)
{
    /* Encoded words take up to six bytes for one; what lies behind is not looked at. */
    AUTO_BUF text = BUF(SUBJECT_BASE_MAX * 64);
    bool reply = false;

    ASSERT(out != NULL);
    encoded_word_decode(str_sub(value, 0, (size_t)SUBJECT_BASE_MAX * 8), &text);
    collapse(&text);
    struct scan s = scan_of(buf_str(&text));
    for (;;) {
        while (cut_trailer(&s, &reply))
            continue;
        bool again = true;
        while (again) {
            again = false;
            while (scan_leader(&s, &reply))
                again = true;
            struct scan t = s;
            if (scan_blob(&t) && !scan_at_end(&t)) {
                s = t;
                again = true;
            }
        }
        if (!cut_wrapper(&s, &reply))
            break;
    }
    buf_add(out, scan_rest(&s));
    return reply;
}

bool
scan_message_id(struct scan *s, struct str *out)
{
    while (s->pos < s->end) {
        struct scan t = *s;
        struct str id = STR_NONE;

        if (!scan_char(&t, '<')) {
            s->pos++;
            continue;
        }
        const char *from = t.pos;
        while (t.pos < t.end && *t.pos != '>' && *t.pos != '<')
            t.pos++;
        id = str_trim(str_from(from, (size_t)(t.pos - from)));
        bool closed = scan_char(&t, '>');
        *s = t;
        if (closed && id.len > 0) {
            *out = id;
            return true;
        }
    }
    return false;
}

struct str
message_id_of(struct str value)
{
    struct scan s = scan_of(value);
    struct str id = STR_NONE;

    return scan_message_id(&s, &id) ? id : str_trim(value);
}
