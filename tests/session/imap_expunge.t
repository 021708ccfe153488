# Two sessions on one mailbox: EXPUNGE is told only where RFC 3501 section 7.4.1 allows it.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
2S: * OK ...
2C: b LOGIN u secret
2S: b OK ...
F: deliver INBOX
F: deliver INBOX
F: deliver INBOX
F: deliver INBOX
C: a1 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 4 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 5] ...
S: a1 OK [READ-WRITE] Selected
2C: b1 SELECT INBOX
2S: * FLAGS ...
2S: * OK [PERMANENTFLAGS ...
2S: * 4 EXISTS
2S: * 0 RECENT
2S: * OK [UNSEEN 1] ...
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 5] ...
2S: b1 OK [READ-WRITE] Selected
C: a2 STORE 1,3 +FLAGS.SILENT (\\Deleted)
S: a2 OK Changed
C: a3 EXPUNGE
S: * 1 EXPUNGE
S: * 2 EXPUNGE
S: a3 OK Expunged
F: deliver INBOX
2C: b2 FETCH 2 FLAGS
2S: * 2 FETCH (FLAGS ())
2S: * 1 FETCH (UID 1 FLAGS (\Deleted))
2S: * 3 FETCH (UID 3 FLAGS (\Deleted))
2S: b2 OK ...
2C: b3 STORE 4 +FLAGS (\\Seen)
2S: * 4 FETCH (FLAGS (\Seen))
2S: b3 OK Changed
2C: b4 UID FETCH 4 FLAGS
2S: * 4 FETCH (UID 4 FLAGS (\Seen))
2S: * 1 EXPUNGE
2S: * 2 EXPUNGE
2S: * 3 EXISTS
2S: * 0 RECENT
2S: b4 OK ...
C: a4 NOOP
S: * 3 EXISTS
S: * 0 RECENT
S: * 2 FETCH (UID 4 FLAGS (\Seen))
S: a4 OK Done
C: a5 STORE 1:3 +FLAGS.SILENT (\\Deleted)
S: a5 OK Changed
C: a6 UID EXPUNGE 4:5
S: * 2 EXPUNGE
S: * 2 EXPUNGE
S: a6 OK Expunged
C: a7 UID EXPUNGE 99
S: a7 OK Expunged
C: a8 UID EXPUNGE
S: a8 BAD ...
C: a9 EXPUNGE 1
S: a9 BAD ...
F: fail expunge 7
C: a10 EXPUNGE
S: a10 NO [UNAVAILABLE] ...
F: die expunge
C: a11 EXPUNGE
S: * BYE The mail store was lost, ...
S-end
2C: b5 NOOP
F: revive
2S: * 2 EXPUNGE
2S: * 2 EXPUNGE
2S: * 1 FETCH (UID 2 FLAGS (\Deleted))
2S: b5 OK Done
F: drop INBOX
2C: b6 NOOP
2S: * BYE The mailbox was deleted
2S: b6 OK Done
2S-end
