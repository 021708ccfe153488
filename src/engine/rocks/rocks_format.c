/* rocks_format.c - the FORMAT file: which software may open a data directory.
 *
 *   godwit data
 *   version 1
 *   engine rocks
 *   compatible 0          features that an older program may ignore, hexadecimal bits
 *   incompatible 0        features that it may not
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/scan.h"
#include "engine/rocks/rocks_internal.h"
#include "rt/disk.h"

#define FORMAT_VERSION      1u
#define FORMAT_INCOMPATIBLE 0u /* the feature bits that this program knows */
#define FORMAT_SIZE_MAX     1024u

struct format {
    uint64_t version, incompatible;
    struct str engine;
};

static bool
format_bits(struct str hex, uint64_t *out)
{
    uint64_t bits = 0;

    if (hex.len == 0 || hex.len > 16)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        char c = ascii_lower(hex.ptr[i]);
        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        bits = bits << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = bits;
    return true;
}

/* Unknown lines are for newer programs: the version and the bits say whether they matter. */
static bool
format_parse(struct str text, struct format *f)
{
    struct str line, word;

    if (!str_split(&text, '\n', &line) || !str_eq(line, STR("godwit data")))
        return false;
    while (str_split(&text, '\n', &line)) {
        if (!str_split(&line, ' ', &word))
            continue;
        struct scan s = scan_of(line);
        if (str_eq(word, STR("version")) && !scan_u64(&s, UINT64_MAX, &f->version))
            return false;
        if (str_eq(word, STR("incompatible")) && !format_bits(line, &f->incompatible))
            return false;
        if (str_eq(word, STR("engine")))
            f->engine = line;
    }
    return f->version > 0 && f->engine.len > 0;
}

static enum status
format_judge(const struct format *f, struct problem *why)
{
    if (f->version > FORMAT_VERSION) {
        problem_set(why, 0, "",
                    "The data is of format %llu, this program knows up to %u: use a newer godwit.",
                    (unsigned long long)f->version, FORMAT_VERSION);
        return ERR_DENIED;
    }
    if (!str_eq(f->engine, STR("rocks"))) {
        problem_set(why, 0, "", "The data belongs to the engine \"%.40s\", not to \"rocks\".",
                    f->engine.len < 40 ? f->engine.ptr : "");
        return ERR_DENIED;
    }
    if ((f->incompatible & ~(uint64_t)FORMAT_INCOMPATIBLE) != 0) {
        problem_set(why, 0, "",
                    "The data uses features (%llx) that this program does not know: use a newer "
                    "godwit.",
                    (unsigned long long)f->incompatible);
        return ERR_DENIED;
    }
    return OK;
}

enum status
rocks_format_check(const char *path, struct problem *why)
{
    char name[ROCKS_PATH_MAX + 16], text[FORMAT_SIZE_MAX + 1] = "";
    AUTO(fd_close) int fd = -1;
    struct format f = {0};
    size_t n = 0;

    snprintf(name, sizeof(name), "%s/FORMAT", path);
    TRY(disk_open(name, O_RDONLY, 0, &fd));
    while (n < FORMAT_SIZE_MAX && disk_read_at(fd, text + n, 1, n) == OK)
        n++;
    if (!format_parse(str_from(text, n), &f)) {
        problem_set(why, 0, "", "The file %.150s is damaged.", name);
        return ERR_CORRUPT;
    }
    if (f.engine.len > 0)
        text[(size_t)(f.engine.ptr - text) + f.engine.len] = '\0';
    return format_judge(&f, why);
}

enum status
rocks_format_write(const char *path)
{
    char name[ROCKS_PATH_MAX + 16], tmp[ROCKS_PATH_MAX + 16], text[128];
    AUTO(fd_close) int fd = -1;

    snprintf(name, sizeof(name), "%s/FORMAT", path);
    snprintf(tmp, sizeof(tmp), "%s/FORMAT.tmp", path);
    int n = snprintf(text, sizeof(text),
                     "godwit data\nversion %u\nengine rocks\ncompatible 0\nincompatible %x\n",
                     FORMAT_VERSION, FORMAT_INCOMPATIBLE);
    struct iovec part = {text, (size_t)n};
    TRY(disk_open(tmp, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd));
    TRY(disk_write_at(fd, &part, 1, 0));
    TRY(disk_sync(fd));
    return disk_rename(tmp, name);
}
