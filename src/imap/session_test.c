/* session_test.c - every transcript tests/session/imap_*.t, as it stands and byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <glob.h>

#include "base/buf.h"
#include "base/mem.h"
#include "imap/transcript.h"

#define TESTS_MAX 100u
#define FILE_MAX  (1u << 20)

static void
read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n;

    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, str_from(piece, n));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(buf_status(out), OK);
}

static void
play_file(void **state)
{
    const char *path = *state;
    AUTO_BUF text = BUF(FILE_MAX);

    read_file(path, &text);
    transcript_play(path, buf_str(&text), false);
    if (!str_starts(buf_str(&text), STR("# once")))
        transcript_play(path, buf_str(&text), true);
}

int
main(void)
{
    struct CMUnitTest tests[TESTS_MAX] = {0};
    glob_t found;
    size_t n = 0;

    if (glob("tests/session/imap_*.t", 0, NULL, &found) != 0)
        return 1;
    for (size_t i = 0; i < found.gl_pathc && n < TESTS_MAX; i++)
        tests[n++] = (struct CMUnitTest){
            .name = found.gl_pathv[i], .test_func = play_file, .initial_state = found.gl_pathv[i]};
    int failed = _cmocka_run_group_tests("imap transcripts", tests, n, NULL, NULL);
    globfree(&found);
    return failed;
}
