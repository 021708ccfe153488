# STORE in all its forms, and what others see of it.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
2S: * OK ...
2C: b LOGIN u secret
2S: b OK ...
F: deliver INBOX 8
F: deliver INBOX
F: deliver INBOX
C: a1 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 2] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 4] ...
S: a1 OK [READ-WRITE] Selected
2C: b1 SELECT INBOX
2S: * FLAGS ...
2S: * OK [PERMANENTFLAGS ...
2S: * 3 EXISTS
2S: * 0 RECENT
2S: * OK [UNSEEN 2] ...
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 4] ...
2S: b1 OK [READ-WRITE] Selected
C: a2 STORE 1:2 +FLAGS (\\Flagged)
S: * 1 FETCH (FLAGS (\Flagged \Seen))
S: * 2 FETCH (FLAGS (\Flagged))
S: a2 OK Changed
2C: b2 NOOP
2S: * 1 FETCH (UID 1 FLAGS (\Flagged \Seen))
2S: * 2 FETCH (UID 2 FLAGS (\Flagged))
2S: b2 OK Done
C: a3 UID STORE 2:* -flags.silent (\\Flagged)
S: a3 OK Changed
2C: b3 NOOP
2S: * 2 FETCH (UID 2 FLAGS ())
2S: b3 OK Done
C: a4 UID STORE 3 FLAGS (\\Seen $Forwarded Work)
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded Work)
S: * 3 FETCH (UID 3 FLAGS (\Seen $Forwarded Work))
S: a4 OK Changed
2C: b4 NOOP
2S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded Work)
2S: * 3 FETCH (UID 3 FLAGS (\Seen $Forwarded Work))
2S: b4 OK Done
C: a5 STORE 3 +FLAGS \\Answered \\Recent
S: * 3 FETCH (FLAGS (\Answered \Seen $Forwarded Work))
S: a5 OK Changed
C: a6 STORE 4 +FLAGS (\\Seen)
S: a6 BAD ...
C: a7 STORE 0 +FLAGS (\\Seen)
S: a7 BAD ...
C: a8 UID STORE 77 +FLAGS (\\Seen)
S: a8 OK ...
C: a9 STORE 1 FLOGS (\\Seen)
S: a9 BAD ...
C: a10 STORE 1 +FLAGS (\\Bogus)
S: a10 BAD ...
C: a11 STORE $ +FLAGS (\\Seen)
S: a11 BAD ...
C: a12 STORE 1 +FLAGS (\\Flagged)
S: * 1 FETCH (FLAGS (\Flagged \Seen))
S: a12 OK Changed
F: flag INBOX 1 9
C: a13 STORE 2 +FLAGS.SILENT (\\Draft)
S: * 1 FETCH (UID 1 FLAGS (\Answered \Seen))
S: a13 OK Changed
F: flag INBOX 2 1
C: a14 STORE 2 +FLAGS.SILENT (\\Draft)
S: * 2 FETCH (FLAGS (\Answered \Draft))
S: a14 OK Changed
F: fail flags 2
C: a15 STORE 1 +FLAGS (k27)
S: a15 NO [LIMIT] The mailbox has too many keywords
F: fail flags 7
C: a16 STORE 1 +FLAGS (\\Seen)
S: a16 NO [UNAVAILABLE] ...
2C: b5 NOOP
2S: * 1 FETCH (UID 1 FLAGS (\Answered \Seen))
2S: * 2 FETCH (UID 2 FLAGS (\Answered \Draft))
2S: * 3 FETCH (UID 3 FLAGS (\Answered \Seen $Forwarded Work))
2S: b5 OK Done
