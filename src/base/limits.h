/* limits.h - everything a peer can make grow, in one table.
 *
 * LIMIT(name, value, unit, what happens when it is reached).  The table is the only place of a number;
 * docs/limits.md is made from it.  Names become enum constants LIMIT_<name>.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* clang-format off */
#define LIMITS(LIMIT) \
    /* connections and the runtime */ \
    LIMIT(FIBERS,                  8192,      "fibers",   "new work waits in the kernel") \
    LIMIT(CONNS_PER_WORKER,        20000,     "conns",    "above 75 % the slowest unauthenticated peers get 421 / BYE") \
    LIMIT(CONNS_PER_ADDRESS,       50,        "conns",    "not logged in, per /32 or /64: 421 / BYE; 10 times as many where a log-in was good") \
    LIMIT(CONNS_PER_NETWORK,       200,       "conns",    "the same per /24 or /48, on the ports of users") \
    LIMIT(CONNS_VOUCHED,           8192,      "entries",  "addresses and networks with a good log-in, per port: the oldest is dropped") \
    LIMIT(CONNS_VOUCH_S,           86400,     "s",        "after the last good log-in an address is like any other") \
    LIMIT(BLOCKS,                  4096,      "networks", "refused by the command") \
    LIMIT(CONN_INPUT_BYTES,        65536,     "bytes",    "reading pauses until the session has worked") \
    LIMIT(CONN_OUTPUT_HIGH,        65536,     "bytes",    "the session waits for the peer to read") \
    LIMIT(CONN_FLOOR_BYTES_S,      100,       "bytes/s",  "a peer that reads slower over 60 s is closed") \
    LIMIT(BODY_FLOOR_BYTES_S,      100,       "bytes/s",  "a peer that sends a body slower over 60 s is closed") \
    LIMIT(PEERS_REMEMBERED,        20000,     "addresses","those that did well longest ago wait for their greeting again") \
    LIMIT(PROXY_BYTES,             2048,      "bytes",    "of the header of the PROXY protocol: closed") \
    LIMIT(PROXY_S,                 5,         "s",        "a listed proxy that did not send the header is closed") \
    LIMIT(CLIENT_CERT_BYTES,       16384,     "bytes",    "of a client's certificates: the handshake fails") \
    LIMIT(TLS_HANDSHAKE_S,         30,        "s",        "closed") \
    LIMIT(DRAIN_S,                 7,         "s",        "when the server ends or is upgraded: a body that is not whole by then is cut off with 421 / BYE / -ERR") \
    LIMIT(IPC_FRAME_BYTES,         4194304,   "bytes",    "the channel is closed") \
    LIMIT(IPC_IN_FLIGHT,           4096,      "calls",    "the caller waits") \
    LIMIT(STORE_HOLD_S,            10,        "s",        "a read waits for a store that is away: NO [UNAVAILABLE] / 451 / -ERR [SYS/TEMP]") \
    LIMIT(STORE_GRANT_S,           5,         "s",        "a new store does not know the session: BYE / 421 / -ERR") \
    /* SMTP: RFC 5321 section 4.5.3 */ \
    LIMIT(SMTP_LINE_BYTES,         2048,      "bytes",    "500 5.5.2; RFC 5321 says 512, SMTPUTF8 and AUTH need more") \
    LIMIT(SMTP_REPLY_LINE_BYTES,   512,       "bytes",    "of a reply, RFC 5321 section 4.5.3.1.5: longer ones go on in another line") \
    LIMIT(SMTP_AUTH_LINE_BYTES,    12288,     "bytes",    "500 5.5.2 or 5.5.6, RFC 4954 section 4; RFC 5034 wants it of POP3 too") \
    LIMIT(SMTP_RCPTS,              100,       "rcpts",    "452 4.5.3 for the rest; told as RCPTMAX, RFC 9422") \
    LIMIT(SUBMIT_RCPTS,            1000,      "rcpts",    "the same for users") \
    LIMIT(MESSAGE_BYTES,           52428800,  "bytes",    "552 5.3.4 / NO [TOOBIG]") \
    LIMIT(SMTP_CHUNK_BYTES,        1073741824,"bytes",    "of one BDAT: 552 5.3.4, 421 and closed; smaller ones that are refused are read and thrown away") \
    LIMIT(WRITERS_BYTES,           65536,     "bytes",    "of the From field of a submission: 552 5.3.4") \
    LIMIT(WRITERS,                 64,        "addresses","in the From field of a submission: 550 5.7.1") \
    LIMIT(SMTP_ERRORS,             20,        "errors",   "421 4.7.0 and closed; not in LMTP") \
    LIMIT(SMTP_IDLE_COMMANDS,      100,       "commands", "without a message between (NOOP, RSET, VRFY, HELP, greetings, BDAT 0): 421 4.7.0 and closed") \
    LIMIT(SMTP_PAUSE_MS,           2000,      "ms",       "port 25 greets an address that brought no mail yet so late; who speaks before: 554 5.5.1 and closed") \
    LIMIT(SMTP_MESSAGES_PER_CONN,  1000,      "MAILs",    "421 4.7.0; told as MAILMAX, RFC 9422") \
    LIMIT(FILTER_CONNS,            1000,      "conns",    "to one policy server, milter or scanner, per worker: 451 4.3.2") \
    LIMIT(FILTER_HOLDERS,          20,        "messages", "before milters or scanners at once, of strangers of one /32 or /64, per worker: 451 4.3.2") \
    LIMIT(FILTER_DIALS,            400,       "conns",    "asked of boss by one worker in 2 s: 451 4.3.2") \
    LIMIT(FILTER_KEPT,             32,        "conns",    "without work to one filter: closed") \
    LIMIT(FILTER_KEEP_S,           60,        "s",        "a connection without work to a filter is closed") \
    LIMIT(MILTER_PACKET_BYTES,     262144,    "bytes",    "of one answer of a milter: it counts as down") \
    LIMIT(MILTER_CHANGES,          1000,      "changes",  "of one milter to one message: 552 5.3.4") \
    LIMIT(MILTER_END_S,            1800,      "s",        "for a milter that says that it is at work on a message: it counts as down") \
    LIMIT(SCANNER_ANSWER_BYTES,    262144,    "bytes",    "of one answer of spamd, clamd or rspamd: it counts as down") \
    LIMIT(POLICY_LINE_BYTES,       2048,      "bytes",    "of the answer of a policy server: it counts as down") \
    LIMIT(POLICY_LINES,            32,        "lines",    "the same") \
    LIMIT(POLICY_PREPEND_BYTES,    8192,      "bytes",    "of header fields that policy servers add: further ones are logged and left out") \
    LIMIT(SMTP_IDLE_S,             300,       "s",        "421 4.4.2; RFC 5321 section 4.5.3.2") \
    LIMIT(LOCAL_PART_BYTES,        255,       "bytes",    "501 5.1.3; RFC 5321 says 64, VERP and SRS need more") \
    LIMIT(SMTP_PATH_BYTES,         512,       "bytes",    "501 5.1.3 / 5.1.7; RFC 5321 says 256, quoting can double a local part") \
    LIMIT(SMTP_PARAM_BYTES,        1024,      "bytes",    "501 5.5.4") \
    LIMIT(LOGIN_NAME_BYTES,        64,        "bytes",    "of a user of the machine: the sendmail command knows him by number") \
    LIMIT(RECEIVED_FIELDS,         50,        "fields",   "554 5.4.6, a loop") \
    /* IMAP and POP3 */ \
    LIMIT(IMAP_PRELOGIN_BYTES,     8192,      "bytes",    "BAD and BYE") \
    LIMIT(IMAP_LINE_BYTES,         65536,     "bytes",    "BAD; 2 MiB for UID sets after login") \
    LIMIT(IMAP_COMMAND_BYTES,      2097152,   "bytes",    "BAD [TOOBIG]") \
    LIMIT(IMAP_NONSYNC_PRELOGIN,   4096,      "bytes",    "BAD and BYE") \
    LIMIT(IMAP_DEPTH,              64,        "levels",   "BAD") \
    LIMIT(IMAP_LOGIN_S,            60,        "s",        "BYE") \
    LIMIT(IMAP_IDLE_S,             1860,      "s",        "BYE; RFC 9051 section 5.4 asks for 30 minutes") \
    LIMIT(IMAP_STILL_HERE_S,       120,       "s",        "an untagged OK during IDLE") \
    LIMIT(IMAP_BAD_COMMANDS,       20,        "commands", "BYE") \
    LIMIT(POP3_IDLE_S,             600,       "s",        "closed without UPDATE; RFC 1939 section 3") \
    LIMIT(POP3_LOGIN_DELAY_S,      86400,     "s",        "pop3-login-delay: refused in godwit.conf") \
    LIMIT(POP3_DELAYED,            100000,    "accounts", "whose last POP3 log-in is remembered: for others there is no delay") \
    LIMIT(POP3_MESSAGES,           100000,    "messages", "the newest beyond are shown after the oldest are gone") \
    LIMIT(SESSIONS_PER_ACCOUNT,    100,       "sessions", "NO [LIMIT]") \
    LIMIT(LOGIN_ATTEMPTS,          5,         "logins",   "per connection: BYE / 421") \
    /* names and mailboxes */ \
    LIMIT(MAILBOXES,               10000,     "mailboxes","NO [LIMIT]") \
    LIMIT(MAILBOX_NAME_BYTES,      1000,      "bytes",    "NO [LIMIT]") \
    LIMIT(MAILBOX_DEPTH,           32,        "levels",   "NO [LIMIT]") \
    LIMIT(KEYWORDS,                27,        "keywords", "NO [LIMIT], per mailbox") \
    LIMIT(KEYWORD_BYTES,           64,        "bytes",    "NO [LIMIT]") \
    LIMIT(IMPORT_KEY_BYTES,        64,        "bytes",    "the command shortens what it has") \
    LIMIT(IMPORT_NUMBER,           2147483647,"",         "a UID, UIDNEXT or UIDVALIDITY of another server above it counts as none") \
    LIMIT(IMPORT_FILE_BYTES,       268435456, "bytes",    "a list of another server that is larger is not read") \
    LIMIT(IMPORT_MESSAGES,         4194304,   "messages", "of a folder of another server: it is not imported") \
    LIMIT(IMPORT_LINE_BYTES,       65536,     "bytes",    "of another server's IMAP: the connection is closed") \
    LIMIT(IMPORT_RESPONSE_BYTES,   1048576,   "bytes",    "of another server's IMAP, without a body: the connection is closed") \
    LIMIT(IMPORT_REPLIES,          16777216,  "responses","to one command: the connection is closed") \
    LIMIT(IMPORT_REPLY_S,          300,       "s",        "without a word of another server: the connection is made anew") \
    LIMIT(IMPORT_CONNECT_S,        30,        "s",        "the next address of the other server is tried") \
    LIMIT(IMPORT_PARALLEL,         64,        "accounts", "at once: refused by the command") \
    LIMIT(UIDL_BYTES,              70,        "bytes",    "a longer one is not kept; RFC 1939 section 7") \
    LIMIT(PLACEMENTS,              64,        "mailboxes","NO [LIMIT]: one message in so many places") \
    LIMIT(ALIAS_TARGETS,           64,        "targets",  "refused by the command") \
    LIMIT(ALIAS_DEPTH,             8,         "levels",   "the address is undeliverable: a loop") \
    LIMIT(ALIAS_EXPANSION,         1000,      "addresses","the address is undeliverable") \
    /* message structure: beyond these the rest is opaque, and still delivered */ \
    LIMIT(HEADER_BYTES,            1048576,   "bytes",    "the rest of the header is not indexed") \
    LIMIT(HEADER_FIELDS,           5000,      "fields",   "the rest is not indexed") \
    LIMIT(HEADER_ADDRESSES,        10000,     "addresses","the rest is not indexed") \
    LIMIT(MIME_DEPTH,              32,        "levels",   "deeper parts are opaque") \
    LIMIT(MIME_PARTS,              5000,      "parts",    "later parts are opaque") \
    LIMIT(MIME_PARAMS,             64,        "params",   "later ones are ignored") \
    LIMIT(MIME_PARAM_BYTES,        4096,      "bytes",    "a longer value is cut") \
    LIMIT(MIME_BOUNDARY_BYTES,     998,       "bytes",    "the multipart is shown as text; RFC 2046 says 70") \
    LIMIT(HEADER_INDEX_BYTES,      262144,    "bytes",    "the rest is not indexed") \
    LIMIT(RECORD_BYTES,            2097152,   "bytes",    "never reached: the next two bound it") \
    LIMIT(RECORD_FIELD_BYTES,      262144,    "bytes",    "further header fields are read from the body") \
    LIMIT(RECORD_TEXT_BYTES,       262144,    "bytes",    "further parts have no names or parameters") \
    LIMIT(RECORD_REFERENCES,       64,        "ids",      "the first and the last ones stay") \
    /* the store */ \
    LIMIT(BLOB_HANDLES,            4096,      "handles",  "451, per worker") \
    LIMIT(BODY_BUFFER_BYTES,       134217728, "bytes",    "bodies under way go to disk at once") \
    LIMIT(COOK_QUEUE,              1024,      "messages", "451 4.3.2") \
    LIMIT(COOK_MESSAGES,           10000,     "messages", "the cook is replaced") \
    LIMIT(COOK_AHEAD,              32,        "messages", "that cooks get as they come in: the others when they are whole") \
    LIMIT(COOK_AHEAD_BYTES,        16777216,  "bytes",    "of one of them: from there on it is read again when it is whole") \
    LIMIT(COOK_KEPT,               512,       "messages", "of strangers that wait for DNS, in one cook and in all: 451 4.3.2") \
    LIMIT(COOK_KEPT_BYTES,         268435456, "bytes",    "of them in one cook: 451 4.3.2") \
    LIMIT(JUDGE_DNS_MS,            5000,      "ms",       "for all that one message needs of DNS at its end: what is not there is unknown") \
    LIMIT(COMMIT_BYTES,            4194304,   "bytes",    "the work is split over several commits") \
    LIMIT(CELL_CACHE_BYTES,        33554432,  "bytes",    "least recently used cells are dropped") \
    LIMIT(THREAD_MESSAGES,         1000,      "messages", "later answers begin another thread") \
    LIMIT(COPY_MESSAGES,           1000000,   "messages", "NO [LIMIT]: copied in several commands") \
    LIMIT(VANISHED_RECORDS,        2048,      "records",  "per mailbox; older ones are trimmed: full resynchronisation") \
    LIMIT(CHANGE_LOG_ENTRIES,      10000,     "entries",  "older ones are trimmed: full resynchronisation") \
    LIMIT(TRACE_DAYS,              3650,      "days",     "refused as a setting") \
    LIMIT(TRACE_SEGMENT_BYTES,     8388608,   "bytes",    "of a file of the trace: the next one is begun") \
    LIMIT(TRACE_READ_MS,           10000,     "ms",       "for one question to the trace by the API: the answer is cut, and says so") \
    LIMIT(TRACE_READS,             16,        "questions","to the trace by the API that wait: 503") \
    LIMIT(TRACE_BUFFER_BYTES,      1048576,   "bytes",    "further lines of the trace are lost while the disk is slower, and counted") \
    LIMIT(UNDELETE_DAYS,           14,        "days",     "deleted bodies are gone after that") \
    /* mail that is sent on */ \
    LIMIT(SRS_BYTES,               254,       "bytes",    "a longer sender is not rewritten") \
    LIMIT(SRS_DAYS,                21,        "days",     "a report to a rewritten sender is refused: 550 5.7.1") \
    LIMIT(PRVS_DAYS,               21,        "days",     "a report to a signed sender is refused: 550 5.7.1") \
    LIMIT(SRS_REPORTS_PER_HOUR,    60,        "reports",  "to one rewritten sender: 451 4.7.1") \
    LIMIT(CORRESPONDENTS,          16384,     "addresses","that an account wrote to are known: the one of longest ago on the same page goes") \
    LIMIT(INBOUND_NETWORK,         20000,     "recipients","an hour from a /24 or /64 of strangers, unless the configuration says otherwise: 451 4.7.1") \
    LIMIT(INBOUND_DOMAIN,          50000,     "recipients","an hour from senders of one domain that SPF proves, else of it and one network, likewise") \
    LIMIT(INBOUND_RECIPIENT,       2000,      "messages", "an hour from strangers to one recipient, likewise") \
    LIMIT(INBOUND_NETWORK_SHARE,   2,         "parts",    "one of them of INBOUND_RECIPIENT is what one /24 or /64 may send to one recipient") \
    LIMIT(GREYLIST_WAIT_S,         300,       "s",        "from its first attempt on a doubtful first contact is answered 451 4.7.1") \
    LIMIT(GREYLIST_WAIT_MAX_S,     3600,      "s",        "refused as a setting") \
    LIMIT(GREYLIST_KEEP_S,         129600,    "s",        "from then on it counts as a first contact again") \
    LIMIT(GREYLIST_CONTACTS,       65536,     "contacts", "wait at once; further ones do not have to") \
    LIMIT(KNOWN_SENDERS,           65536,     "senders",  "whose mail was taken are known; the one of longest ago on the same page goes") \
    LIMIT(OUTBOUND_MESSAGES,       1000,      "messages", "of an account to other servers a day, unless the configuration says otherwise: later ones are held") \
    LIMIT(OUTBOUND_RECIPIENTS,     200,       "addresses","elsewhere a day to which the account never wrote, likewise") \
    LIMIT(ABUSE_MAX,               100000000, "",         "of outbound-limits and inbound-limits: refused as a setting") \
    LIMIT(OUTBOUND_HELD,           1000,      "messages", "of an account that were held within a day: 450 4.7.1") \
    LIMIT(SEND_AS,                 64,        "addresses","that an account may write as besides its own: refused by the command") \
    LIMIT(FORWARD_TARGETS,         16,        "targets",  "of an account: refused by the command") \
    LIMIT(FORWARDS_PER_HOUR,       500,       "messages", "to the outside by one address: later ones wait in the queue") \
    LIMIT(FORWARD_MARKS,           64,        "marks",    "of addresses that sent a message on: later ones are not looked at") \
    LIMIT(ALIAS_LINE_BYTES,        65536,     "bytes",    "of a file of aliases: the line is left out") \
    LIMIT(IMPORT_ACCOUNTS_BYTES,   1073741824,"bytes",    "of accounts of another server: refused by the command") \
    LIMIT(IMPORT_COLUMNS,          128,       "columns",  "of a table of another server: it is passed over") \
    LIMIT(IMPORT_TABLES,           16,        "tables",   "of accounts in one dump: later ones are passed over where their rows name no columns") \
    LIMIT(RATE_KEYS,               65536,     "names",    "counted per hour; beyond, all counts begin anew") \
    /* quotas */ \
    LIMIT(QUOTA_WARN,              80,        "%",        "of the quota: a notice in the INBOX") \
    LIMIT(QUOTA_URGENT,            95,        "%",        "of the quota: a second notice in the INBOX") \
    LIMIT(QUOTA_MARGIN,            5,         "%",        "so far below must the use fall before the same notice may come again") \
    LIMIT(QUOTA_GRACE,             10,        "%",        "above the quota, for what is saved in the mailboxes for Sent and Drafts: NO [OVERQUOTA]") \
    LIMIT(QUOTA_FULL_DAYS,         3,         "days",     "from the first refusal on 452 4.2.2, after that 552 5.2.2, until room is made") \
    /* the queue */ \
    LIMIT(QUEUE_DAYS,              5,         "days",     "a failure notice goes to the sender") \
    LIMIT(QUEUE_MESSAGES,          1200000,   "messages", "452 4.3.1") \
    LIMIT(QUEUE_CELL_MESSAGES,     24000,     "messages", "new ones go to the next cell") \
    LIMIT(QUEUE_PAUSES,            1000,      "domains",  "queue pause is refused") \
    LIMIT(QUEUE_PUT_OFFS,          256,       "a second", "more to one destination wait a second") \
    LIMIT(FUTURE_RELEASE_S,        31536000,  "s",        "501 5.5.4; told with FUTURERELEASE, RFC 4865") \
    LIMIT(DELIVER_BY_MIN_S,        5,         "s",        "BY=...;R of less: 555 5.5.4; told with DELIVERBY, RFC 2852") \
    LIMIT(QUEUE_WARN_S,            14400,     "s",        "a delay notice goes to the sender") \
    LIMIT(QUEUE_FIRST_RETRY_S,     60,        "s",        "doubles, with 20 % jitter, up to QUEUE_RETRY_S") \
    LIMIT(QUEUE_RETRY_S,           3600,      "s",        "") \
    LIMIT(OUT_PER_DOMAIN,          20,        "conns",    "more deliveries wait") \
    LIMIT(OUT_FIRST,               2,         "conns",    "to a destination that took one; grows with its answers") \
    LIMIT(OUT_LEASES,              4000,      "messages", "more wait in the store") \
    LIMIT(OUT_CONNS,               200,       "conns",    "more deliveries wait") \
    LIMIT(OUT_REACHING,            3000,      "messages", "without a connection yet, besides OUT_CONNS; more deliveries wait") \
    LIMIT(OUT_REACH_MS,            100,       "ms",       "who has no connection yet gives its place to one that waits") \
    LIMIT(OUT_CONNECT_FIRST_S,     5,         "s",        "the next host is tried; in the first three tries of a message") \
    LIMIT(OUT_CONNECT_S,           30,        "s",        "the next host is tried") \
    LIMIT(OUT_STAGGER_MS,          300,       "ms",       "the next address of a host is tried as well") \
    LIMIT(OUT_SOCKS_S,             60,        "s",        "a SOCKS proxy that has not connected us: the next address or host is tried") \
    LIMIT(ROUTE_NAME_BYTES,        32,        "bytes",    "of a route's name: refused in godwit.conf") \
    LIMIT(OUT_KEEP_S,              5,         "s",        "a connection without a message is closed") \
    LIMIT(OUT_KEEP_MAX_S,          300,       "s",        "a connection takes no further message") \
    LIMIT(OUT_KEEP_MESSAGES,       100,       "messages", "the next one gets a new connection") \
    LIMIT(OUT_ABSENT_S,            60,        "s",        "for so long who did not answer is left alone; doubles each time") \
    LIMIT(OUT_ABSENT_MAX_S,        900,       "s",        "") \
    LIMIT(OUT_REMEMBERED,          20000,     "names",    "no more are remembered as absent") \
    LIMIT(OUT_REPLY_S,             300,       "s",        "tried later; RFC 5321 section 4.5.3.2") \
    LIMIT(OUT_FINAL_REPLY_S,       600,       "s",        "tried later") \
    LIMIT(DNS_TIMEOUT_S,           20,        "s",        "tried later") \
    LIMIT(DNS_CACHE_BYTES,         16777216,  "bytes",    "of answers of DNS that role out keeps: those that were used longest ago go") \
    LIMIT(DNS_CACHE_S,             3600,      "s",        "an answer is asked for again, whatever its TTL says") \
    LIMIT(DNS_CACHE_NONE_S,        300,       "s",        "the same of the answer that there is none") \
    LIMIT(DNS_RECORDS,             256,       "records",  "of one name and type, where mail is judged: SPF permerror, else as if it could not be told") \
    LIMIT(DNS_ALIASES,             10,        "aliases",  "of a zone file, one leading to the next: cannot be told") \
    LIMIT(ZONE_BYTES,              4194304,   "bytes",    "of a zone file: refused by the command") \
    LIMIT(STS_HOSTS,               64,        "hosts",    "in a policy of MTA-STS: the policy counts as none") \
    LIMIT(STS_POLICY_BYTES,        65536,     "bytes",    "of a policy of MTA-STS: the policy counts as none") \
    LIMIT(STS_KEPT_BYTES,          8192,      "bytes",    "of a policy of MTA-STS, without what nobody knows: the policy counts as none") \
    LIMIT(STS_DOMAINS,             10000,     "domains",  "with policies that are kept: a further one is forgotten at a restart") \
    LIMIT(STS_FETCH_S,             60,        "s",        "for a policy of MTA-STS: the one before holds on; RFC 8461 section 3.3") \
    LIMIT(STS_RETRY_S,             300,       "s",        "after a fetch that failed no other is tried") \
    LIMIT(STS_RENEW_S,             86400,     "s",        "a policy is fetched anew, or after half its life") \
    LIMIT(STS_EXPLAIN_MS,          5000,      "ms",       "godwit explain says that a policy of MTA-STS was not told in time") \
    LIMIT(STS_LOOK_S,              60,        "s",        "for so long a record of MTA-STS is not looked at again") \
    LIMIT(MX_HOSTS,                10,        "hosts",    "later ones are ignored") \
    /* what domains say about their mail, and who really sent it */ \
    LIMIT(TAGS,                    64,        "tags",     "of a signature or its key: it is broken") \
    LIMIT(DKIM_SIGNATURES,         8,         "fields",   "further signatures are not looked at") \
    LIMIT(DKIM_FIELD_BYTES,        16384,     "bytes",    "of a signature: it does not pass") \
    LIMIT(DKIM_IDENTITY_BYTES,     1024,      "bytes",    "of i= of a signature: it does not pass") \
    LIMIT(DKIM_KEY_BYTES,          4096,      "bytes",    "of a key in DNS: the signature does not pass") \
    LIMIT(DKIM_NAMES,              20,        "names",    "of keys that one message needs: a chain of ARC that needs more fails") \
    LIMIT(DKIM_KEYS,               12,        "keys",     "of one domain of ours, with those that are no longer used: the oldest of these is forgotten") \
    LIMIT(DKIM_OLD_DAYS,           14,        "days",     "after another key followed, the record of a DKIM key can be removed: mail that it signed was read by then") \
    LIMIT(ARC_SETS,                50,        "sets",     "a chain that is longer fails; RFC 8617 section 4.2.1") \
    LIMIT(IMITATION_NAMES,         8,         "domains",  "in the From fields of a message are compared with those that a reader knows; the rest is not") \
    LIMIT(LOOK_DOMAINS,            20000,     "domains",  "of ours are compared with those of strangers; the rest is not") \
    LIMIT(DMARC_AUTHORS,           4,         "domains",  "in the From fields of a message: DMARC asks to refuse it") \
    LIMIT(DMARC_NAMES,             14,        "names",    "asked for one message: parents of further signing domains count as without a record, further authors as too many") \
    LIMIT(DMARC_RECORD_BYTES,      4096,      "bytes",    "of a DMARC record: it counts as none") \
    LIMIT(SUFFIX_LIST_BYTES,       4194304,   "bytes",    "of the Public Suffix List: the one that libpsl has is used") \
    LIMIT(AUTH_RESULTS_BYTES,      16384,     "bytes",    "of the value of an Authentication-Results field: it is not read") \
    LIMIT(AUTH_RESULTS,            64,        "results",  "in one such field: further ones are not read") \
    LIMIT(AUTH_PROPERTIES,         16,        "properties","of one result: it is not read") \
    LIMIT(AUTH_VALUE_BYTES,        480,       "bytes",    "of one value: it is not read, and not written") \
    LIMIT(REPORT_PACKED_BYTES,     10485760,  "bytes",    "of an aggregate report of DMARC as it comes: it is not read, as with the next four") \
    LIMIT(REPORT_BYTES,            33554432,  "bytes",    "of one unpacked") \
    LIMIT(REPORT_RATIO,            200,       "times",    "of its size when it is unpacked") \
    LIMIT(REPORT_RECORDS,          50000,     "records",  "in one") \
    LIMIT(REPORT_SIGNATURES,       100,       "signatures","in one of its records, as RFC 9990 has it") \
    LIMIT(REPORT_TEXT_BYTES,       1024,      "bytes",    "of one of its texts: the rest is left out") \
    LIMIT(TLS_REPORT_BYTES,        1048576,   "bytes",    "of a report about TLS, as it comes and unpacked: it is not read, as with the next two") \
    LIMIT(TLS_REPORT_POLICIES,     256,       "policies", "in one") \
    LIMIT(TLS_REPORT_DETAILS,      4096,      "entries",  "about failures in one") \
    LIMIT(TLS_REPORT_TEXTS,        64,        "lines",    "of one of its policies: further ones are left out") \
    LIMIT(TALLY_ROWS,              40000,     "rows",     "of statistics that wait to be reported to other domains: further ones are not counted, as with the next three") \
    LIMIT(TALLY_GROUP_ROWS,        4000,      "rows",     "of one domain and day") \
    LIMIT(TALLY_WAITING,           16384,     "rows",     "that are new within a minute") \
    LIMIT(TALLY_ROW_BYTES,         2048,      "bytes",    "of one") \
    LIMIT(TLS_FACTS,               8,         "sessions", "of one delivery that are counted for reports about TLS") \
    LIMIT(TLS_FACT_TEXT_BYTES,     1200,      "bytes",    "of a policy in a report about TLS of ours: later lines are left out") \
    LIMIT(TLS_REPORT_OWN_POLICIES, 64,        "policies", "in a report about TLS of ours: what came under further ones is left out") \
    LIMIT(TLS_REPORT_POLICY_DETAILS, 256,     "entries",  "about failures under one of them: further ones count, and are not told apart") \
    LIMIT(REPORT_DAYS,             3,         "days",     "a report that could not be sent so long after its day is forgotten") \
    LIMIT(SPAM_TOKENS,             4096,      "tokens",   "of a message: the rest of it does not count for its spam score, as with the next three") \
    LIMIT(SPAM_BYTES,              262144,    "bytes",    "of it as it is") \
    LIMIT(SPAM_TEXT_BYTES,         262144,    "bytes",    "of its decoded texts") \
    LIMIT(SPAM_PARTS,              64,        "parts",    "of it") \
    LIMIT(SPAM_MODEL_TOKENS,       32768,     "tokens",   "that an account knows: rare and old ones are forgotten") \
    LIMIT(SPAM_SENDERS,            16384,     "authors",  "whose mail an account moved to or from Junk: those of long ago are forgotten") \
    LIMIT(SPAM_LESSONS,            32,        "changes",  "of an account that wait to be learned: what is moved meanwhile is not learned") \
    LIMIT(SPAM_LESSON_MESSAGES,    256,       "messages", "of one change: who moves more tidies up, and nothing is learned") \
    LIMIT(IPREV_NAMES,             10,        "names",    "of one address are looked at") \
    LIMIT(CHECK_BATCH_BYTES,       67108864,  "bytes",    "of questions for godwit check: refused by the command") \
    LIMIT(SPF_RECORD_BYTES,        4096,      "bytes",    "permerror") \
    LIMIT(SPF_TERMS,               10,        "terms",    "of records of SPF that ask DNS, in one check: permerror; RFC 7208 section 4.6.4") \
    LIMIT(SPF_VOIDS,               2,         "terms",    "the same, of those that ask for what does not exist") \
    LIMIT(SPF_NAMES,               10,        "names",    "of one MX: permerror; of one PTR: later ones are ignored") \
    LIMIT(SPF_VALUE_BYTES,         512,       "bytes",    "of what a macro stands for: HELO is cut, for other values there is no domain to ask about") \
    LIMIT(SPF_EXPANDED_BYTES,      65536,     "bytes",    "of a name or an explanation with its macros expanded: permerror, or no explanation") \
    LIMIT(SPF_EXPLANATION_BYTES,   500,       "bytes",    "a longer one is cut") \
    LIMIT(ASK_MS,                  10000,     "ms",       "for all that is asked of DNS about one message: what is not there then could not be told") \
    LIMIT(SENDER_MS,               8000,      "ms",       "to find out who a client is (SPF, its names, lists): what is not there then is temperror") \
    LIMIT(LIST_TEST_S,             10800,     "s",        "a list in DNS is tested so often; one that fails is asked about nobody until it passes again") \
    LIMIT(ASK_FIBERS,              2048,      "questions","asked side by side for messages that are judged: no place, and no answer, is 451 4.3.0") \
    LIMIT(SENDER_FIBERS,           1024,      "questions","asked side by side about senders: no list is asked, the others wait for each other") \
    LIMIT(SPF_S,                   20,        "s",        "temperror") \
    /* HTTP */ \
    LIMIT(HTTP_HEAD_BYTES,         16384,     "bytes",    "431 and closed") \
    LIMIT(HTTP_LINE_BYTES,         8192,      "bytes",    "of a head: 431, the first one 414, and closed") \
    LIMIT(HTTP_TARGET_BYTES,       4096,      "bytes",    "414 and closed") \
    LIMIT(HTTP_FIELDS,             100,       "fields",   "431 and closed") \
    LIMIT(HTTP_HEAD_S,             30,        "s",        "for a whole head: 408 and closed") \
    LIMIT(HTTP_IDLE_S,             60,        "s",        "without a byte: closed, inside a request with 408") \
    LIMIT(HTTP_CHUNK_EXTRA_BYTES,  4096,      "bytes",    "extensions and trailer fields of a body in chunks: 400 and closed") \
    LIMIT(HTTP_DISCARD_BYTES,      16777216,  "bytes",    "of a body that was refused: closed before its end") \
    LIMIT(API_BODY_BYTES,          4194304,   "bytes",    "413; many accounts come as NDJSON") \
    LIMIT(API_REDEEM_BYTES,        8192,      "bytes",    "of the redemption of an invitation: 413") \
    LIMIT(API_BULK_BYTES,          268435456, "bytes",    "of accounts as NDJSON in one request: 413") \
    LIMIT(API_LINE_BYTES,          65536,     "bytes",    "of one account as NDJSON: it is refused") \
    LIMIT(API_RESULTS_BYTES,       134217728, "bytes",    "of the answers to one such request: the rest is not looked at") \
    /* passwords */ \
    LIMIT(ASK_HEAD_BYTES,          8192,      "bytes",    "of a reply of the endpoint of tokens, and of each interim one: the log-in cannot be judged now") \
    LIMIT(ASK_BODY_BYTES,          16384,     "bytes",    "the same for what follows") \
    LIMIT(INTROSPECTION_S,         10,        "s",        "for one question about a token: the log-in cannot be judged now") \
    LIMIT(INTROSPECTIONS,          64,        "questions","at once: as above") \
    LIMIT(INTROSPECTION_KEPT,      4096,      "tokens",   "that were good a short while ago: the oldest is asked about again") \
    LIMIT(INTROSPECTION_KEPT_S,    120,       "s",        "a token is asked about again, or when it ends") \
    LIMIT(LOGIN_WRONG_ADDRESS,     20,        "log-ins",  "wrong ones per /32 or /64: one try per growing interval, up to 256 s: NO [LIMIT] / 421 / -ERR [SYS/TEMP]; 10 times as many where a log-in was good") \
    LIMIT(LOGIN_WRONG_NETWORK,     100,       "log-ins",  "the same per /24 or /48, up to 64 s") \
    LIMIT(LOGIN_WRONG_ACCOUNT,     50,        "log-ins",  "the same per account, from addresses where no log-in was good, up to 64 s") \
    LIMIT(LOGIN_WRONG_DEVICE,      20,        "log-ins",  "the same per account and address from which it logged in before, which count nowhere else") \
    LIMIT(LOGIN_COUNTS,            65536,     "entries",  "of each of these four the oldest is dropped") \
    LIMIT(LOGIN_KNOWN,             131072,    "entries",  "addresses with a good log-in, and those of accounts: the oldest is dropped") \
    LIMIT(LOGIN_KNOWN_S,           2592000,   "s",        "after its last good log-in from there an account's address is unknown again") \
    LIMIT(LOGIN_VOUCH_S,           604800,    "s",        "after the last good log-in an address is like any other") \
    LIMIT(AUTH_QUEUE,              256,       "logins",   "NO [UNAVAILABLE] / 454") \
    LIMIT(AUTH_CACHE_S,            300,       "s",        "the password is hashed again") \
    LIMIT(AUTH_CACHE_ENTRIES,      100000,    "entries",  "the oldest is dropped") \
    LIMIT(SASL_BYTES,              2048,      "bytes",    "one response, decoded: refused as malformed") \
    LIMIT(OAUTH_BYTES,             6000,      "bytes",    "the same of OAUTHBEARER and XOAUTH2, and of a token") \
    LIMIT(SCRAM_NONCE_BYTES,       128,       "bytes",    "of the client's nonce: refused as malformed") \
    LIMIT(SCRAM_S,                 60,        "s",        "from the first to the last response: fails like a wrong password") \
    LIMIT(SCRAM_EXCHANGES,         32768,     "exchanges","the oldest fails like a wrong password") \
    LIMIT(INVITATION_S,            604800,    "s",        "an invitation that nobody gave another time is refused") \
    LIMIT(INVITATION_MIN_S,        60,        "s",        "a shorter one is refused by the command") \
    LIMIT(INVITATION_MAX_S,        7776000,   "s",        "a longer one is refused by the command") \
    LIMIT(APP_PASSWORDS,           16,        "passwords","of one account: refused by the command") \
    LIMIT(FOREIGN_BCRYPT_COST,     14,        "",         "of a hash of another server, two to the power of it: refused by the command, like those below") \
    LIMIT(FOREIGN_SHA_ROUNDS,      1000000,   "rounds",   "of SHA256-CRYPT and SHA512-CRYPT") \
    LIMIT(FOREIGN_PBKDF2_ROUNDS,   2000000,   "rounds",   "of PBKDF2 and SCRAM") \
    LIMIT(FOREIGN_YESCRYPT_KIB,    65536,     "KiB",      "of yescrypt") \
    LIMIT(FOREIGN_ARGON2_KIB,      262144,    "KiB",      "of argon2") \
    LIMIT(FOREIGN_ARGON2_WORK_KIB, 1048576,   "KiB",      "of argon2, times its passes") \
    LIMIT(FOREIGN_ARGON2_LANES,    16,        "lanes",    "of argon2; they are computed one after the other") \
    LIMIT(PASSWORD_BYTES,          512,       "bytes",    "refused")
/* clang-format on */

#define LIMIT_AS_ENUM(name, value, unit, reached) LIMIT_##name = (value),
enum limit { LIMITS(LIMIT_AS_ENUM) };

#endif
