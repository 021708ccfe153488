/* import_tell.c - what an import of mail says while it works, and at its end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/import_mail.h"
#include "rt/clock.h"

enum { BAR_WIDTH = 30 };

static bool
has_bar(const struct import_mail *im)
{
    return !im->c->json && isatty(STDOUT_FILENO);
}

void
import_mail_progress(const struct import_mail *im)
{
    static const char marks[] = "##############################";
    uint64_t part = im->all.found == 0 ? 0 : im->done * BAR_WIDTH / im->all.found;
    int full = (int)MIN(part, (uint64_t)BAR_WIDTH); /* small */

    if (!has_bar(im))
        return;
    printf("\r[%.*s%*s] %llu of %llu messages", full, marks, BAR_WIDTH - full, "",
           (unsigned long long)im->done, (unsigned long long)im->all.found);
    fflush(stdout);
}

static void
add_counts(struct import_counts *to, const struct import_counts *n)
{
    to->added += n->added;
    to->bytes += n->bytes;
    to->flags += n->flags;
    to->removed += n->removed;
    to->moved_uid += n->moved_uid;
    to->left_out += n->left_out;
    to->elsewhere += n->elsewhere;
    to->lost_words += n->lost_words;
    to->lost_uidls += n->lost_uidls;
}

static void
print_counts(const struct import_counts *n)
{
    printf("%llu new, %llu with other flags, %llu removed", (unsigned long long)n->added,
           (unsigned long long)n->flags, (unsigned long long)n->removed);
    if (n->moved_uid > 0)
        printf(", %llu have a new UID", (unsigned long long)n->moved_uid);
    if (n->elsewhere > 0)
        printf(", %llu of another source kept", (unsigned long long)n->elsewhere);
    if (n->lost_words > 0)
        printf(", %llu keywords without room", (unsigned long long)n->lost_words);
    if (n->lost_uidls > 0)
        printf(", %llu unique ids of POP3 that fit no message", (unsigned long long)n->lost_uidls);
    if (n->left_out > 0)
        printf(", %llu left out: too large, empty or unreadable", (unsigned long long)n->left_out);
}

static json_t *
json_counts(const struct import_counts *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "found",
                     (json_int_t)n->found, "added", (json_int_t)n->added, "bytes",
                     (json_int_t)n->bytes, "flags", (json_int_t)n->flags, "removed",
                     (json_int_t)n->removed, "new_uids", (json_int_t)n->moved_uid, "elsewhere",
                     (json_int_t)n->elsewhere, "left_out", (json_int_t)n->left_out, "lost_keywords",
                     (json_int_t)n->lost_words, "lost_unique_ids", (json_int_t)n->lost_uidls);
}

void
import_mail_tell(struct import_mail *im, const struct import_account *acc, struct str folder,
                 const struct import_counts *n, const char *wrong)
{
    add_counts(&im->all, n);
    if (im->c->json) {
        json_t *o = json_counts(n);
        json_object_set_new(o, "account", view_str(acc->address));
        json_object_set_new(o, "mailbox", view_str(folder));
        json_object_set_new(o, "wrong", view_str(str_of(wrong != NULL ? wrong : "")));
        json_array_append_new(im->told, o);
        return;
    }
    if (has_bar(im))
        printf("\r\033[K");
    printf("%s %s: ", ctl_text(im->c, acc->address), ctl_text(im->c, folder));
    if (wrong == NULL || n->added + n->flags + n->removed > 0)
        print_counts(n);
    printf("%s%s\n", wrong != NULL ? " FAILED: " : "", wrong != NULL ? wrong : "");
    import_mail_progress(im);
    fflush(stdout);
}

void
import_mail_left(struct import_mail *im, const struct import_account *acc, struct str folder,
                 struct str what, const char *why)
{
    if (im->c->json) {
        if (im->left == NULL)
            im->left = json_array();
        json_array_append_new(im->left,
                              json_pack("{s:o, s:o, s:o, s:s}", "account", view_str(acc->address),
                                        "mailbox", view_str(folder), "message", view_str(what),
                                        "why", why));
        return;
    }
    if (has_bar(im))
        printf("\r\033[K");
    fflush(stdout);
    fprintf(stderr, "godwit import: %s %s: %s was left out: %s\n", ctl_text(im->c, acc->address),
            ctl_text(im->c, folder), ctl_text(im->c, what), why);
}

int
import_mail_end(struct import_mail *im, int64_t began_ms)
{
    int64_t ms = MAX(clock_mono_ms() - began_ms, 1);
    char size[32];

    if (im->c->json) {
        json_t *o = json_counts(&im->all);
        json_object_set_new(o, "accounts", json_integer((json_int_t)im->accounts));
        json_object_set_new(o, "failed", json_integer((json_int_t)im->failed));
        json_object_set_new(o, "mailboxes", im->told);
        json_object_set_new(o, "messages_left_out", im->left != NULL ? im->left : json_array());
        ctl_print_json(o);
    } else {
        if (has_bar(im))
            printf("\r\033[K");
        printf("%llu %s, %llu %s, %llu messages, %s: ", (unsigned long long)im->accounts,
               im->accounts == 1 ? "account" : "accounts", (unsigned long long)im->folders,
               im->folders == 1 ? "mailbox" : "mailboxes", (unsigned long long)im->all.found,
               ctl_size_text(im->all.bytes, size, sizeof(size)));
        print_counts(&im->all);
        printf(" (%lld.%lld s)\n", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
    }
    if (im->failed > 0)
        fprintf(stderr, "godwit import: %llu failed; the same command goes on where it was\n",
                (unsigned long long)im->failed);
    return im->failed + im->all.left_out > 0 ? CTL_FAILED : CTL_OK;
}
