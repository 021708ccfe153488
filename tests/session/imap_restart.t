# The store is restarted: reads are held, and those whose answer was lost are made again; a write of unknown outcome ends the session.
F: deliver INBOX
F: deliver INBOX
S: * OK ...
C: a1 LOGIN u secret
S: a1 OK ...
F: lose
C: a2 SELECT INBOX
F: revive
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 2 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 3] ...
S: a2 OK [READ-WRITE] Selected
F: die body
C: a3 FETCH 1 BODY.PEEK[TEXT]
F: revive
S: * 1 FETCH (BODY[TEXT] {12}
S: A message.
S: )
S: a3 OK Fetched
F: die records
C: a4 FETCH 1 ENVELOPE
F: revive
S: * 1 FETCH (ENVELOPE (NIL "hello" ...
S: a4 OK Fetched
F: die sizes
C: a5 FETCH 2 RFC822.SIZE
F: revive
S: * 2 FETCH (RFC822.SIZE 30)
S: a5 OK Fetched
F: die records
C: a6 SEARCH SUBJECT hello
F: revive
S: * SEARCH 1 2
S: a6 OK Searched
F: die mailboxes
C: a7 LIST "" INBOX
F: revive
S: * LIST ...
S: a7 OK ...
# To mark as seen what a FETCH shows is as good as a read: once more changes nothing.
F: die flags
C: a8 FETCH 1 (BODY[TEXT])
F: revive
S: * 1 FETCH (BODY[TEXT] {12}
S: A message.
S:  FLAGS (\Seen))
S: a8 OK Fetched
F: lose
C: a9 NOOP
F: revive
S: a9 OK Done
F: deliver INBOX
C: b1 NOOP
S: * 3 EXISTS
S: * 0 RECENT
S: b1 OK Done
F: die changes
F: flag INBOX 3 2
C: b2 NOOP
F: revive
S: * 3 FETCH (UID 3 FLAGS (\Flagged))
S: b2 OK Done
# A store that does not know the session yet did nothing: that is tried again, also when it would change something.
F: lose
C: b3 STORE 1 +FLAGS (\\Flagged)
F: fail flags 5
F: revive
S: * 1 FETCH (FLAGS (\Flagged \Seen))
S: b3 OK Changed
F: lose
F: fail expunge 5
C: b4 EXPUNGE
F: revive
S: b4 OK Expunged
F: lose
F: fail changes 5
C: b5 COPY 1 Trash
F: revive
S: b5 OK [COPYUID 1005 1 1] Copied
F: lose
F: fail mailbox_open 5
C: b6 APPEND Trash {5+}
C: hello
F: revive
S: b6 OK [APPENDUID 1005 2] Saved
F: lose
F: fail mailbox_create 5
C: b7 CREATE made
F: revive
S: b7 OK Created
F: die flags
C: b8 STORE 1 -FLAGS (\\Flagged)
S: * BYE The mail store was lost, ...
S-end
F: revive
# What a session in IDLE missed is told when the store is there again.
2S: * OK ...
2C: a1 LOGIN u secret
2S: a1 OK ...
2C: a2 SELECT INBOX
2S: * FLAGS ...
2S: * OK [PERMANENTFLAGS ...
2S: * 3 EXISTS
2S: * 0 RECENT
2S: * OK [UNSEEN 2] ...
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 4] ...
2S: a2 OK [READ-WRITE] Selected
2C: a3 IDLE
2S: + Idling
F: lose
F: missed INBOX
F: revive
2S: * 4 EXISTS
2S: * 0 RECENT
2C: DONE
2S: a3 OK Idle done
# Nobody waits for ever.
F: impatient
F: lose
2C: a4 FETCH 1 RFC822.SIZE
2S: a4 NO [UNAVAILABLE] ...
2C: a5 STORE 1 +FLAGS (\\Seen)
2S: a5 NO [UNAVAILABLE] ...
2C: a6 NOOP
2S: a6 OK Done
F: revive
# A session that nobody remembers.
F: fail sizes 5
2C: a7 FETCH 1 RFC822.SIZE
2S: * BYE The server was restarted, log in again
2S-end
