# Senders, recipients and what they may say.
S: 220 ...
C: HELO c.example
S: 250 mail.test
C: MAIL FROM:<>
S: 250 2.1.0 ...
C: RCPT TO:<>
S: 501 5.1.3 Expected RCPT TO:<address>
C: RCPT TO:<nobody@test>
S: 550 5.1.1 <nobody@test>: There is no such address here
C: RCPT TO:<full@test>
S: 452 4.2.2 <full@test>: The mailbox is full
C: RCPT TO:<overfull@test>
S: 552 5.2.2 <overfull@test>: The mailbox is full, and has been for days
C: RCPT TO:<off@test>
S: 550 5.2.1 <off@test>: The mailbox takes no mail
C: RCPT TO:<x@other.example>
S: 554 5.7.1 <x@other.example>: This domain is not served here
C: RCPT TO:<@test:x@other.example>
S: 554 5.7.1 <x@other.example>: This domain is not served here
C: RCPT TO:<"x@other.example"@test>
S: 550 5.1.1 <"x@other.example"@test>: There is no such address here
C: RCPT TO:<u@test> NOTIFY=NEVER
S: 555 5.5.4 The parameter NOTIFY is not known here
C: RCPT TO:<Postmaster>
S: 250 2.1.5 Recipient is fine
C: RCPT TO:<"q\\ q"@TEST>
S: 250 2.1.5 Recipient is fine
C: RCPT TO:<u@test>
S: 250 2.1.5 Recipient is fine
C: DATA
S: 354 ...
C: Subject: x\r\n\r\nbody\r\n.
S: 250 2.0.0 Kept
F: envelope mx <> <postmaster@test> <"q q"@test> <u@test>
F: check INBOX 1 Return-Path: <>
C: MAIL FROM:<"a b"@B.example> SIZE=100 BODY=8BITMIME AUTH=<>
S: 250 2.1.0 ...
C: RCPT TO:<u@test>
S: 250 2.1.5 ...
C: DATA
S: 354 ...
C: Subject: \xc3\xa4\xff\r\n\r\n..\r\n.
S: 250 2.0.0 Kept
F: envelope mx <"a b"@b.example> <u@test>
F: check INBOX 2 Return-Path: <"a b"@b.example>
C: MAIL FROM:<a@b.example> X-UNKNOWN
S: 555 5.5.4 The parameter X-UNKNOWN is not known here
C: MAIL FROM:<\xc3\xa4@b.example>
S: 553 5.6.7 ...
C: MAIL FROM:<a@b.example> SIZE=4194305
S: 552 5.3.4 The largest message is 4194304 bytes
C: MAIL FROM:<a@b.example> SIZE=18446744073709551616
S: 501 5.5.4 SIZE has no such value, or came twice
C: MAIL FROM:<a@b.example> SIZE=1 SIZE=1
S: 501 5.5.4 SIZE has no such value, or came twice
# None of them began a transaction.
C: RCPT TO:<u@test>
S: 503 5.5.1 Say MAIL first
C: QUIT
S: 221 ...
S-end
