# Unique ids of the server that a message came from, between those of our own.
F: bulk INBOX 6
F: uidl INBOX 2 old-2
F: uidl INBOX 3 old-3
F: uidl INBOX 4 old-4
F: uidl INBOX 6 old-6
S: +OK ...
C: USER u\r\nPASS secret
S: +OK ...
S: +OK 6 messages
C: DELE 3
S: +OK ...
C: UIDL
S: +OK Unique ids follow
S: 1 000003e900000001
S: 2 old-2
S: 4 old-4
S: 5 000003e900000005
S: 6 old-6
S: .
C: UIDL 6
S: +OK 6 old-6
C: UIDL 1
S: +OK 1 000003e900000001
F: fail uidls 6
C: UIDL 2
S: -ERR [SYS/TEMP] Cannot read the mailbox now, try again
F: fail uidls 6
C: UIDL
S: -ERR [SYS/TEMP] Cannot read the mailbox now, try again
C: QUIT
S: +OK ...
