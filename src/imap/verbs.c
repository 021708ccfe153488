/* verbs.c - every command: the states it may come in, and what it does to sequence numbers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"

/* RFC 3501 section 6; the extensions that imap.h names. */
const struct imap_verb imap_verbs[] = {
    {STR("CAPABILITY"), IMAP_ANY, false, false, imap_cmd_capability},
    {STR("NOOP"), IMAP_ANY, false, false, imap_cmd_noop},
    {STR("LOGOUT"), IMAP_ANY, false, false, imap_cmd_logout},
    {STR("ID"), IMAP_ANY, false, false, imap_cmd_id},
    {STR("STARTTLS"), IMAP_NOT_AUTH, false, false, imap_cmd_starttls},
    {STR("LOGIN"), IMAP_NOT_AUTH, false, false, imap_cmd_login},
    {STR("AUTHENTICATE"), IMAP_NOT_AUTH, false, false, imap_cmd_authenticate},
    {STR("ENABLE"), IMAP_LOGGED, false, false, imap_cmd_enable},
    {STR("NAMESPACE"), IMAP_LOGGED, false, false, imap_cmd_namespace},
    {STR("SELECT"), IMAP_LOGGED, false, false, imap_cmd_select},
    {STR("EXAMINE"), IMAP_LOGGED, false, false, imap_cmd_examine},
    {STR("CREATE"), IMAP_LOGGED, false, false, imap_cmd_create},
    {STR("DELETE"), IMAP_LOGGED, false, false, imap_cmd_delete},
    {STR("RENAME"), IMAP_LOGGED, false, false, imap_cmd_rename},
    {STR("SUBSCRIBE"), IMAP_LOGGED, false, false, imap_cmd_subscribe},
    {STR("UNSUBSCRIBE"), IMAP_LOGGED, false, false, imap_cmd_unsubscribe},
    {STR("STATUS"), IMAP_LOGGED, false, false, imap_cmd_status},
    {STR("LIST"), IMAP_LOGGED, false, false, imap_cmd_list},
    {STR("LSUB"), IMAP_LOGGED, false, false, imap_cmd_lsub},
    {STR("XLIST"), IMAP_LOGGED, false, false, imap_cmd_xlist},
    {STR("GETQUOTA"), IMAP_LOGGED, false, false, imap_cmd_getquota},
    {STR("GETQUOTAROOT"), IMAP_LOGGED, false, false, imap_cmd_getquotaroot},
    {STR("APPEND"), IMAP_LOGGED, false, false, imap_cmd_append},
    {STR("IDLE"), IMAP_LOGGED, false, false, imap_cmd_idle},
    {STR("CHECK"), IMAP_SELECTED, false, false, imap_cmd_noop},
    {STR("CLOSE"), IMAP_SELECTED, false, false, imap_cmd_close},
    {STR("UNSELECT"), IMAP_SELECTED, false, false, imap_cmd_unselect},
    {STR("EXPUNGE"), IMAP_SELECTED, true, false, imap_cmd_expunge},
    {STR("FETCH"), IMAP_SELECTED, true, true, imap_cmd_fetch},
    {STR("STORE"), IMAP_SELECTED, true, true, imap_cmd_store},
    {STR("SEARCH"), IMAP_SELECTED, true, true, imap_cmd_search},
    {STR("COPY"), IMAP_SELECTED, true, false, imap_cmd_copy},
    {STR("MOVE"), IMAP_SELECTED, true, false, imap_cmd_move},
};
const size_t imap_verb_count = COUNT_OF(imap_verbs);
