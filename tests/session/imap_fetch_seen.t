# FETCH and \Seen; numbers and UIDs that are not there; what other sessions do meanwhile.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
2S: * OK ...
2C: b LOGIN u secret
2S: b OK ...
C: a0 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 1] ...
S: a0 OK [READ-WRITE] Selected
C: a1 FETCH 1:* FLAGS
S: a1 OK Fetched
C: a2 FETCH 1 FLAGS
S: a2 BAD There is no message of that number
C: a3 UID FETCH 1:* FLAGS
S: a3 OK Fetched
C: a4 UID FETCH * FLAGS
S: a4 OK Fetched
F: deliver INBOX
F: deliver INBOX 8
F: deliver INBOX
C: a5 NOOP
S: * 3 EXISTS
S: * 0 RECENT
S: a5 OK Done
2C: b1 SELECT INBOX
2S: * FLAGS ...
2S: * OK [PERMANENTFLAGS ...
2S: * 3 EXISTS
2S: * 0 RECENT
2S: * OK [UNSEEN 1] ...
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 4] ...
2S: b1 OK [READ-WRITE] Selected
C: a6 FETCH 1:2 BODY[TEXT]
S: * 1 FETCH (BODY[TEXT] {12}
S: A message.
S:  FLAGS (\Seen))
S: * 2 FETCH (BODY[TEXT] {12}
S: A message.
S: )
S: a6 OK Fetched
2C: b2 NOOP
2S: * 1 FETCH (UID 1 FLAGS (\Seen))
2S: b2 OK Done
# What another session changed is told with it, or after it.
2C: b3 STORE 2 +FLAGS.SILENT (\\Flagged)
2S: b3 OK Changed
C: a7 FETCH 2:3 (FLAGS BODY[TEXT]<0.1>)
S: * 2 FETCH (FLAGS (\Flagged \Seen) BODY[TEXT]<0> {1}
S: A)
S: * 3 FETCH (FLAGS (\Seen) BODY[TEXT]<0> {1}
S: A)
S: * 2 FETCH (UID 2 FLAGS (\Flagged \Seen))
S: a7 OK Fetched
2C: b4 EXAMINE INBOX
2S: * FLAGS ...
2S: * OK [PERMANENTFLAGS ()] ...
2S: * 3 EXISTS
2S: * 0 RECENT
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 4] ...
2S: b4 OK [READ-ONLY] Selected
F: flag INBOX 1 0
2C: b5 FETCH 1 BODY[TEXT]<0.1>
2S: * 1 FETCH (BODY[TEXT]<0> {1}
2S: A)
2S: * 1 FETCH (UID 1 FLAGS ())
2S: b5 OK Fetched
# "*" is the last message, also when the range begins behind it; a number is only itself.
C: a8 UID FETCH 999:* FLAGS
S: * 3 FETCH (UID 3 FLAGS (\Seen))
S: * 1 FETCH (UID 1 FLAGS ())
S: a8 OK Fetched
C: a9 UID FETCH *:999 UID
S: * 3 FETCH (UID 3)
S: a9 OK Fetched
C: c1 UID FETCH 4294967295 UID
S: c1 OK Fetched
C: c2 UID FETCH 4:4294967295 UID
S: c2 OK Fetched
C: c3 FETCH *:2,1 UID
S: * 1 FETCH (UID 1)
S: * 2 FETCH (UID 2)
S: * 3 FETCH (UID 3)
S: c3 OK Fetched
C: c4 FETCH * UID
S: * 3 FETCH (UID 3)
S: c4 OK Fetched
C: c5 FETCH 2:4 UID
S: c5 BAD There is no message of that number
# Removed by somebody else: numbers stay until a command that may tell it.
F: remove INBOX 2
C: c6 FETCH 1:3 (UID RFC822.SIZE)
S: * 1 FETCH (UID 1 RFC822.SIZE 30)
S: * 3 FETCH (UID 3 RFC822.SIZE 30)
S: c6 NO [EXPUNGEISSUED] Some of the messages were removed meanwhile
C: c7 FETCH 2 ENVELOPE
S: c7 NO [EXPUNGEISSUED] Some of the messages were removed meanwhile
C: c8 FETCH 2 FLAGS
S: * 2 FETCH (FLAGS (\Flagged \Seen))
S: c8 OK Fetched
C: c9 FETCH 3 (UID)
S: * 3 FETCH (UID 3)
S: c9 OK Fetched
C: d1 SEARCH ALL
S: * SEARCH 1 2 3
S: d1 OK Searched
C: d2 SEARCH SUBJECT hello
S: * SEARCH 1 3
S: d2 OK Searched
C: d3 COPY 2:3 Trash
S: * 2 EXPUNGE
S: d3 NO [EXPUNGEISSUED] Some of the messages were removed meanwhile
C: d4 UID COPY 2:3 Trash
S: d4 OK [COPYUID 1005 3 1] Copied
# A message without a usable record is read instead; a failure in the middle takes back what is not sent.
F: unread INBOX 1
C: d5 FETCH 1 (ENVELOPE RFC822.SIZE)
S: * 1 FETCH (ENVELOPE (NIL "hello" NIL NIL NIL NIL NIL NIL NIL NIL) RFC822.SIZE 30)
S: d5 OK Fetched
C: d6 SEARCH SUBJECT hello
S: * SEARCH 1 2
S: d6 OK Searched
F: fail body 13
C: d7 FETCH 2 (UID BODY.PEEK[])
S: d7 NO [UNAVAILABLE] ...
F: fail records 7
C: d8 FETCH 1:2 ENVELOPE
S: d8 NO [UNAVAILABLE] ...
C: d9 FETCH 2 (UID BODY.PEEK[]<0.7>)
S: * 2 FETCH (UID 3 BODY[]<0> {7}
S: Subject)
S: d9 OK Fetched
C: e1 FETCH 1:2 (FLAGS) (CHANGEDSINCE 0)
S: * 1 FETCH (FLAGS ())
S: * 2 FETCH (FLAGS (\Seen))
S: e1 OK Fetched
