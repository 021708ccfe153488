# APPEND: literals of both kinds, flags, dates, refusals that keep both sides in step.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a1 APPEND INBOX {20}
S: + OK
C: Subject: x\r\n\r\nHello!
S: a1 OK [APPENDUID 1001 1] Saved
F: check INBOX 1 Hello!
C: a2 APPEND "INBOX" (\\Seen $Sent) "24-Nov-2026 01:02:03 +0100" {20+}
C: Subject: y\r\n\r\nHello!
S: a2 OK [APPENDUID 1001 2] Saved
C: a3 APPEND {5+}
C: INBOX (\\Flagged) {20}
S: + OK
C: Subject: z\r\n\r\nHello!
S: a3 OK [APPENDUID 1001 3] Saved
C: a4 APPEND nothere {20}
S: a4 NO [TRYCREATE] ...
C: a5 APPEND nothere {20+}
C: Subject: z\r\n\r\nHello!
S: a5 NO [TRYCREATE] ...
C: a6 APPEND INBOX {99999999}
S: a6 NO [TOOBIG] ...
C: a7 APPEND INBOX {99999999+}
S: a7 NO [TOOBIG] ...
S: * BYE ...
S-end
2S: * OK ...
2C: b LOGIN u secret
2S: b OK ...
2C: b1 APPEND INBOX
2S: b1 BAD Expected APPEND ...
2C: b2 APPEND INBOX (\\Seen {3+}
2C: abc
2S: b2 BAD Expected APPEND ...
2C: b3 APPEND INBOX {0}
2S: b3 NO A message cannot be empty
2C: b4 APPEND INBOX {3+}
2C: abc {3+}
2C: def
2S: b4 BAD One message at a time
2C: b5 SELECT INBOX
2S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Sent)
2S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Sent \*)] ...
2S: * 3 EXISTS
2S: * 0 RECENT
2S: * OK [UNSEEN 1] ...
2S: * OK [UIDVALIDITY 1001] ...
2S: * OK [UIDNEXT 4] ...
2S: b5 OK [READ-WRITE] Selected
2C: b6 FETCH 2 (FLAGS RFC822.SIZE)
2S: * 2 FETCH (FLAGS (\Seen $Sent) RFC822.SIZE 20)
2S: b6 OK ...
F: date INBOX 2 1795478523
2C-: b7 APPEND INBOX {5+}\r\nhello\r\nb8 NOOP\r\nb9 APPEND Trash {5+}\r\nhello\r\n
2S: * 4 EXISTS
2S: * 0 RECENT
2S: b7 OK [APPENDUID 1001 4] Saved
2S: b8 OK Done
2S: b9 OK [APPENDUID 1005 1] Saved
F: fail append 14
2C: b10 APPEND INBOX {5+}
2C: hello
2S: b10 NO [OVERQUOTA] ...
F: die append
2C: b11 APPEND INBOX {5+}
2C: hello
2S: * BYE The mail store was lost, ...
2S-end
