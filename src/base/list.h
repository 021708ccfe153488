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
/* NOLINTBEGIN(bugprone-macro-parentheses): they declare the variables that they are given. */
#define list_each(node, head) \
    for (struct list *node = (head)->next; node != (head); node = node->next)
/* Allows removal of the current node. */
#define list_each_safe(node, after, head)                                       \
    for (struct list *node = (head)->next, *after = node->next; node != (head); \
         node = after, after = node->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void
list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool
list_empty(const struct list *head)
{
    return head->next == head;
}

/* at the end */
static inline void
list_push(struct list *head, struct list *node)
{
    node->next = head;
    node->prev = head->prev;
    head->prev->next = node;
    head->prev = node;
}

static inline void
list_push_front(struct list *head, struct list *node)
{
    list_push(head->next, node);
}

/* node becomes a ring of itself; safe twice */
static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* first, or NULL */
static inline struct list *
list_pop(struct list *head)
{
    struct list *first = head->next;

    if (first == head)
        return NULL;
    list_remove(first);
    return first;
}

static inline size_t
list_count(const struct list *head)
{
    size_t n = 0;

    for (const struct list *node = head->next; node != head; node = node->next)
        n++;
    return n;
}

#endif
