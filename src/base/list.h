/* list.h - an intrusive doubly linked ring.  The list never owns its entries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
#define list_each(node, head) \
    for (struct list *node = (head)->next; node != (head); node = node->next)
/* Allows removal of the current node. */
#define list_each_safe(node, after, head)                                       \
    for (struct list *node = (head)->next, *after = node->next; node != (head); \
         node = after, after = node->next)

void list_init(struct list *head);
bool list_empty(const struct list *head);
void list_push(struct list *head, struct list *node); /* at the end */
void list_push_front(struct list *head, struct list *node);
/* node becomes a ring of itself; safe twice */
void list_remove(struct list *node);
struct list *list_pop(struct list *head); /* first, or NULL */
size_t list_count(const struct list *head);

#endif
