# The mailbox as it was at log-in; numbers, their limits, and what is no number.
F: text INBOX Subject: one\r\n\r\nfirst\r\n.dot\r\n
F: text INBOX Subject: two\r\n\r\n
F: text INBOX Subject: three\r\nX: y\r\n\r\n1\r\n2\r\n3\r\nunfinished
S: +OK ...
C: USER u\r\nPASS secret
S: +OK ...
S: +OK 3 messages
F: text INBOX later\r\n
C: STAT
S: +OK 3 88
C: LIST
S: +OK Sizes follow
S: 1 29
S: 2 16
S: 3 43
S: .
C: LIST 2
S: +OK 2 16
C: LIST 0
S: -ERR There is no such message
C: LIST 4
S: -ERR There is no such message
C: LIST 4294967297
S: -ERR There is no such message
C: LIST -1
S: -ERR There is no such message
C: LIST 1 2
S: -ERR There is no such message
C: LIST x
S: -ERR There is no such message
C: UIDL
S: +OK Unique ids follow
S: 1 000003e900000001
S: 2 000003e900000002
S: 3 000003e900000003
S: .
C: UIDL 3
S: +OK 3 000003e900000003
C: UIDL 4
S: -ERR There is no such message
C: RETR
S: -ERR There is no such message
C: RETR 1
S: +OK 29 octets
S: Subject: one
S: 
S: first
S: ..dot
S: .
C: RETR 3
S: +OK 43 octets
S: Subject: three
S: X: y
S: 
S: 1
S: 2
S: 3
S: unfinished
S: .
C: TOP 3 0
S: +OK 43 octets
S: Subject: three
S: X: y
S: 
S: .
C: TOP 3 2
S: +OK 43 octets
S: Subject: three
S: X: y
S: 
S: 1
S: 2
S: .
C: TOP 3 18446744073709551615
S: +OK 43 octets
S: Subject: three
S: X: y
S: 
S: 1
S: 2
S: 3
S: unfinished
S: .
C: TOP 3 18446744073709551616
S: -ERR Expected TOP message lines
C: TOP 3 -1
S: -ERR Expected TOP message lines
C: TOP 3
S: -ERR Expected TOP message lines
C: TOP
S: -ERR Expected TOP message lines
C: TOP 4 0
S: -ERR There is no such message
C: TOP 2 5
S: +OK 16 octets
S: Subject: two
S: 
S: .
C: DELE
S: -ERR There is no such message
C: DELE 2\r\nDELE 2\r\nRETR 2\r\nTOP 2 0\r\nLIST 2\r\nUIDL 2\r\nSTAT
S: +OK Message 2 goes at QUIT
S: -ERR There is no such message
S: -ERR There is no such message
S: -ERR There is no such message
S: -ERR There is no such message
S: -ERR There is no such message
S: +OK 2 72
C: LIST\r\nUIDL
S: +OK ...
S: 1 29
S: 3 43
S: .
S: +OK ...
S: 1 000003e900000001
S: 3 000003e900000003
S: .
C: RSET\r\nSTAT\r\nDELE 1\r\nDELE 3\r\nQUIT
S: +OK 3 messages
S: +OK 3 88
S: +OK Message 1 goes at QUIT
S: +OK Message 3 goes at QUIT
S: +OK Good bye
S-end
2S: +OK ...
2C: USER u\r\nPASS secret\r\nLIST\r\nUIDL\r\nDELE 1
2S: +OK ...
2S: +OK 2 messages
2S: +OK ...
2S: 1 16
2S: 2 7
2S: .
2S: +OK ...
2S: 1 000003e900000002
2S: 2 000003e900000004
2S: .
2S: +OK Message 1 goes at QUIT
# No QUIT, no UPDATE.
2C-end
2S-end
3S: +OK ...
3C: USER u\r\nPASS secret\r\nSTAT\r\nQUIT
3S: +OK ...
3S: +OK 2 messages
3S: +OK 2 23
3S: +OK Good bye
3S-end
