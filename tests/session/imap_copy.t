# COPY, MOVE, COPYUID, TRYCREATE.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
F: deliver INBOX 8
F: deliver INBOX 1
F: deliver INBOX 8
C: a1 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 3 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 2] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 4] ...
S: a1 OK [READ-WRITE] Selected
C: a2 COPY 1:2 Trash
S: a2 OK [COPYUID 1005 1,2 1,2] Copied
C: a3 UID COPY 3 "Trash"
S: a3 OK [COPYUID 1005 3 3] Copied
C: a4 COPY 1 nothere
S: a4 NO [TRYCREATE] ...
C: a5 COPY 4 Trash
S: a5 BAD ...
C: a6 UID COPY 99 Trash
S: a6 OK ...
C: a7 COPY 1
S: a7 BAD ...
C: a8 COPY 1 INBOX
S: * 4 EXISTS
S: * 0 RECENT
S: a8 OK [COPYUID 1001 1 4] Copied
C: a9 MOVE 1,4 Archive
S: * OK [COPYUID 1006 1,4 1,2] Moved
S: * 1 EXPUNGE
S: * 3 EXPUNGE
S: a9 OK Moved
C: a10 UID MOVE 2:3 Archive
S: * OK [COPYUID 1006 2,3 3,4] Moved
S: * 1 EXPUNGE
S: * 1 EXPUNGE
S: a10 OK Moved
C: a11 MOVE 1:* Archive
S: a11 OK ...
C: a12 UID MOVE 1:* Archive
S: a12 OK ...
C: a13 STATUS Archive (MESSAGES UNSEEN)
S: * STATUS Archive (MESSAGES 4 UNSEEN 1)
S: a13 OK ...
F: deliver INBOX
F: fail copy 14
C: a14 NOOP
S: * 1 EXISTS
S: * 0 RECENT
S: a14 OK Done
C: a15 COPY 1 Trash
S: a15 NO [OVERQUOTA] ...
F: die copy
C: a16 MOVE 1 Trash
S: * BYE The mail store was lost, ...
S-end
