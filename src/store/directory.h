/* directory.h - who has mail here: domains, accounts, aliases; look-up and log-in are one interface.
 *
 * Owns:      the 'd' cells (store/directory_values.h says what stands where) and a bounded cache of their values.
 * Promises:  an address is compared in its canonical form: lower case (ASCII), without needless quotes.  An explicit
 *            address beats user+tag, a tag beats the catch-all "@domain".  postmaster and abuse of a domain that has
 *            none are those of the default domain.  A resolution is finite, free of loops
 *            and duplicates: at most LIMIT_ALIAS_DEPTH levels and LIMIT_ALIAS_EXPANSION addresses.
 *            An account that is forwarded is one level, like an alias, and keeps its log-in.
 *            A new account exists completely or not at all; what a crash leaves behind the reaper removes.
 *            A removed account's mail is dropped LIMIT_UNDELETE_DAYS later; until then it can be brought back.
 * Never:     checks a password: verifiers are sealed, and role auth opens them.
 * Other directories (LDAP and the like) implement struct directory_source; the changing calls below are denied there.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_H
#define STORE_DIRECTORY_H

#include "base/limits.h"
#include "base/time.h"
#include "store/cell.h"
#include "store/directory_invitation.h"

#define DIRECTORY_ADDRESS_MAX  512u
#define DIRECTORY_VERIFIER_MAX 4096u
struct directory;
struct directory_app_password; /* directory_app.h */

enum directory_kind { DIRECTORY_ACCOUNT, DIRECTORY_ALIAS };
/* Where an account's mail goes on to. */
struct directory_forward {
    const struct str *targets; /* canonical */
    size_t count;              /* 0 = it is not forwarded */
    bool keep;                 /* and stays in the account as well */
};
struct directory_entry {
    enum directory_kind kind;
    struct str address; /* canonical; "@domain" is a catch-all */
    /* of an account */
    uint64_t account;     /* id of its cell, never 0 */
    uint64_t epoch;       /* rises with every password change, disable, suspension and back */
    bool disabled;        /* takes no mail, nobody can log in */
    bool suspended;       /* takes mail, nobody can log in */
    uint64_t quota_bytes; /* as in the account's cell, which enforces it; 0 = none */
    struct instant created;
    struct str verifier; /* sealed; empty = nobody can log in */
    const struct directory_app_password *app_passwords;
    size_t app_password_count;
    struct directory_forward forward;
    const struct str *send_as; /* canonical, and "@domain": what it may write as as well */
    size_t send_as_count;
    struct directory_invitation invitation;
    /* of an alias */
    const struct str *targets;
    size_t target_count;
};

/* What a source of addresses must answer.  ERR_NOT_FOUND: no such thing.  ERR_TEMP: cannot tell now. */
struct directory_source {
    const char *name;
    /* Is mail of this domain delivered here? */
    enum status (*has_domain)(struct directory *d, struct str domain, bool *out);
    /* Exactly this canonical address; strings live in a. */
    enum status (*find)(struct directory *d, struct str address, struct arena *a,
                        struct directory_entry *out);
};
extern const struct directory_source directory_built_in;

/* default_domain completes names without "@"; may be empty. */
struct directory *directory_new(struct cells *c, struct str default_domain,
                                const struct directory_source *source);
void directory_free(struct directory **d);
void directory_default_domain(struct directory *d, struct str domain);
/* Another process changed something: the cache starts anew. */
void directory_changed(struct directory *d);

/* Canonical form in a, completed by the default domain; ERR_SYNTAX when it cannot be an address here.
 * domain_out (may be NULL) points into address_out. */
MUST_USE enum status directory_canonical(const struct directory *d, struct str address,
                                         struct arena *a, struct str *address_out,
                                         struct str *domain_out);

/* ---- look-up ---- */
enum directory_class { /* order of enum<4> class in store.ipc */
                       DIRECTORY_LOCAL,
                       DIRECTORY_FOREIGN, /* the domain is not ours */
                       DIRECTORY_NO_USER, /* also: an alias that leads nowhere */
                       DIRECTORY_OVER_QUOTA,
                       DIRECTORY_DISABLED,
};
struct directory_target {
    struct str address; /* canonical: of the account, or foreign */
    uint64_t account;   /* 0 = foreign */
    struct str via;     /* the address here that names it ("@domain": a catch-all); empty: itself */
};
struct directory_resolution {
    enum directory_class class; /* LOCAL, FOREIGN, NO_USER or DISABLED */
    bool relayed;               /* LOCAL, and some target is foreign */
    const struct directory_target *targets;
    size_t count; /* > 0 for LOCAL; 1 for FOREIGN: the address itself */
};
MUST_USE SUSPENDS enum status directory_resolve(struct directory *d, struct str address,
                                                struct arena *a, struct directory_resolution *out);
/* The same, but a forwarded account is itself the end of the way: whose mailbox it is. */
MUST_USE SUSPENDS enum status directory_resolve_mailboxes(struct directory *d, struct str address,
                                                          struct arena *a,
                                                          struct directory_resolution *out);
MUST_USE SUSPENDS enum status directory_is_local_domain(struct directory *d, struct str domain,
                                                        bool *out);
/* Exactly this address. */
MUST_USE SUSPENDS enum status directory_find(struct directory *d, struct str address,
                                             struct arena *a, struct directory_entry *out);
/* The account of this id; ERR_NOT_FOUND when it was removed. */
MUST_USE SUSPENDS enum status directory_by_id(struct directory *d, uint64_t account,
                                              struct arena *a, struct directory_entry *out);
/* For log-in: an address, an alias of exactly one account, either without its default domain, in any case.
 * No tags, no catch-all.  ERR_NOT_FOUND: nobody. */
MUST_USE SUSPENDS enum status directory_login(struct directory *d, struct str login,
                                              struct arena *a, struct directory_entry *out);
/* May this account send as address?  Its own address with or without tag, any address whose resolution has it among its
 * targets, and those that it was given, with or without tag. */
MUST_USE SUSPENDS enum status directory_may_send_as(struct directory *d, uint64_t account,
                                                    struct str address, bool *out);

/* ---- changes of the built-in directory ---- */
/* Idempotent.  admin not empty: postmaster, abuse and tls-reports that do not exist yet point to it. */
MUST_USE SUSPENDS enum status directory_domain_add(struct directory *d, struct str name,
                                                   struct str admin);
/* What stands in the way of removing a domain; postmaster, abuse and tls-reports do not, as aliases. */
struct directory_domain_use {
    size_t accounts, aliases;
    struct str first; /* one of them, an account if there is one */
};
MUST_USE SUSPENDS enum status directory_domain_use(struct directory *d, struct str name,
                                                   struct arena *a,
                                                   struct directory_domain_use *out);
/* ERR_EXISTS while it is in use. */
MUST_USE SUSPENDS enum status directory_domain_remove(struct directory *d, struct str name);
struct directory_domain {
    struct str name;
    uint32_t accounts;
    struct str selector, dkim_record; /* empty until directory_domain_dkim() */
};
struct directory_page { /* which part of a listing, and where it goes */
    struct str after;   /* empty = from the start */
    size_t max;
    struct arena *a;
    bool names_only;
};
/* Reads every address to count accounts, unless the names are enough: for people, not for mail. */
MUST_USE SUSPENDS enum status directory_domains(struct directory *d, const struct directory_page *p,
                                                const struct directory_domain **out, size_t *n_out);
MUST_USE SUSPENDS enum status directory_domain_dkim(struct directory *d, struct str name,
                                                    struct str selector, struct str record);

struct directory_new_account {
    struct str address;
    uint64_t account; /* random id that the verifier was sealed for */
    uint64_t quota_bytes;
    struct str verifier;
    bool suspended;
    struct directory_invitation invitation;
    int64_t grace_s; /* of directory_account_prepare(): until then the reaper leaves it alone */
};
/* A random id, never 0, that keeps account and address in one shard: then they are one commit. */
uint64_t directory_account_id(struct directory *d, struct str address);
/* In two steps, so that the work on the verifier goes on during the first: all but the entry, then the entry, which
 * is one commit.  ERR_NOT_FOUND: the domain is not here.  ERR_EXISTS: the address is taken.  What was prepared and is
 * not entered is to be abandoned, else the reaper does it. */
MUST_USE SUSPENDS enum status directory_account_prepare(struct directory *d,
                                                        struct directory_new_account *n);
MUST_USE SUSPENDS enum status directory_account_enter(struct directory *d,
                                                      const struct directory_new_account *n);
MUST_USE SUSPENDS enum status directory_account_abandon(struct directory *d,
                                                        const struct directory_new_account *n);
/* Both steps. */
MUST_USE SUSPENDS enum status directory_account_add(struct directory *d,
                                                    const struct directory_new_account *n);
MUST_USE SUSPENDS enum status directory_account_remove(struct directory *d, struct str address);
MUST_USE SUSPENDS enum status directory_account_verifier(struct directory *d, struct str address,
                                                         struct str verifier);
MUST_USE SUSPENDS enum status directory_account_disable(struct directory *d, struct str address,
                                                        bool disabled);
MUST_USE SUSPENDS enum status directory_account_suspend(struct directory *d, struct str address,
                                                        bool suspended);
MUST_USE SUSPENDS enum status directory_account_quota(struct directory *d, struct str address,
                                                      uint64_t quota_bytes);

/* No targets = remove.  ERR_EXISTS: the address is an account.  ERR_NOT_FOUND: the domain is not here.
 * ERR_CONFLICT: mail to it would come back to it, at once or by other aliases. */
MUST_USE SUSPENDS enum status directory_alias_set(struct directory *d, struct str address,
                                                  const struct str *targets, size_t n);
/* Entries of one kind after an address, by shard, then by address; for a verifier one character: there is one. */
MUST_USE SUSPENDS enum status directory_list(struct directory *d, enum directory_kind kind,
                                             const struct directory_page *p,
                                             const struct directory_entry **out, size_t *n_out);

/* One step of dropping what was removed long enough ago; once a minute or so. */
MUST_USE SUSPENDS enum status directory_reap(struct directory *d, struct instant now);

#endif
