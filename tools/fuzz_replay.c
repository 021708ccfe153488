/* fuzz_replay.c - runs a fuzz target without a fuzzer, as an ordinary test.
 *
 * Plays every file of the given corpus folders into LLVMFuzzerTestOneInput(), then a fixed number
 * of mutations of each made from a fixed seed, so that the run is the same every time.  Each input
 * lies in an allocation of exactly its size, which lets the address sanitizer see an overread.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, MUTATIONS_PER_SEED = 64, EDITS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* xorshift64: small, and the same on every machine. */
static size_t
random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static void
play(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Changes the buffer in place: overwrites, truncates, doubles a slice, or inserts protocol bytes.
 */
static size_t
mutate(uint8_t *bytes, size_t size)
{
    static const uint8_t telling[] = "\r\n\0\t \"\\{}()<>@:;=?*%&+-.0129azAZ\x7f\x80\xc3\xff";
    size_t edits = 1 + random_below(EDITS_MAX);

    for (size_t i = 0; i < edits; i++) {
        size_t at = size > 0 ? random_below(size) : 0;
        size_t span = size - at > 0 ? 1 + random_below(size - at) : 0;

        switch (random_below(5)) {
        case 0:
            if (size > 0)
                bytes[at] = (uint8_t)random_below(256);
            break;
        case 1:
            if (size > 0)
                bytes[at] = telling[random_below(sizeof(telling) - 1)];
            break;
        case 2: size = at; break;
        case 3:
            if (span > 0 && size + span <= INPUT_MAX) {
                memmove(bytes + at + span, bytes + at, size - at);
                size += span;
            }
            break;
        default:
            if (size + 1 <= INPUT_MAX) {
                memmove(bytes + at + 1, bytes + at, size - at);
                bytes[at] = telling[random_below(sizeof(telling) - 1)];
                size++;
            }
            break;
        }
    }
    return size;
}

static void
play_with_mutations(const uint8_t *seed, size_t size)
{
    static uint8_t work[INPUT_MAX];

    play(seed, size);
    for (int i = 0; i < MUTATIONS_PER_SEED; i++) {
        memcpy(work, seed, size);
        play(work, mutate(work, size));
    }
}

static int
play_file(const char *folder, const char *name)
{
    static uint8_t bytes[INPUT_MAX];
    char path[1024];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return 1;
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    play_with_mutations(bytes, size);
    return 0;
}

/* readdir() has no fixed order and the mutations depend on it: sort. */
static int
play_folder(const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    int failed = count < 0;
    int played = 0;

    if (count < 0)
        perror(folder);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') {
            failed |= play_file(folder, names[i]->d_name);
            played++;
        }
        free(names[i]);
    }
    free(names);
    if (played == 0) {
        fprintf(stderr, "%s: no seeds\n", folder);
        return 1;
    }
    printf("%s: %d seeds, %d mutations each\n", folder, played, MUTATIONS_PER_SEED);
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = argc < 2;

    play((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        failed |= play_folder(argv[i]);
    return failed;
}
