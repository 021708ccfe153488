# IDLE with news, and commands behind DONE in the same packet (as iOS sends them).
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a1 IDLE
S: + Idling
C: DONE
S: a1 OK Idle done
C: a2 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 1] ...
S: a2 OK [READ-WRITE] Selected
C: a3 IDLE
S: + Idling
F: deliver INBOX
S: * 1 EXISTS
S: * 0 RECENT
F: deliver INBOX
S: * 2 EXISTS
S: * 0 RECENT
F: flag INBOX 2 8
S: * 2 FETCH (UID 2 FLAGS (\Seen))
F: remove INBOX 1
S: * 1 EXPUNGE
F: deliver Trash
C-: DONE\r\na4 NOOP\r\na5 IDLE\r\nDONE\r\na6 UNSELECT\r\n
S: a3 OK Idle done
S: a4 OK Done
S: + Idling
S: a5 OK Idle done
S: a6 OK ...
C: a7 IDLE
S: + Idling
C: a8 NOOP
S: a7 BAD Expected DONE
C: a9 IDLE now
S: a9 BAD IDLE takes no argument
C: a10 IDLE
S: + Idling
C: done
S: a10 OK Idle done
C: a11 SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 1 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 3] ...
S: a11 OK [READ-WRITE] Selected
C: a12 IDLE
S: + Idling
F: lose
F: revive
F: deliver INBOX
S: * 2 EXISTS
S: * 0 RECENT
F: revoke
S: * BYE Your session was ended
S-end
