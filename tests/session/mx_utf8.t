# SMTPUTF8 (RFC 6531): addresses beyond ASCII, once MAIL asked for them.
S: 220 ...
C: HELO c.example
S: 250 ...
C: MAIL FROM:<ä@b.example>
S: 553 5.6.7 An address beyond ASCII needs SMTPUTF8 in MAIL
C: MAIL FROM:<a@b.example>
S: 250 ...
C: RCPT TO:<jürgen@test>
S: 553 5.6.7 An address beyond ASCII needs SMTPUTF8 in MAIL
C: RCPT TO:<u@bücher.example>
S: 553 5.6.7 ...
C: RSET
S: 250 ...
C: MAIL FROM:<ä@bücher.example> SMTPUTF8
S: 250 2.1.0 Sender is fine
C: RCPT TO:<jürgen@test>
S: 250 2.1.5 Recipient is fine
C: RCPT TO:<ü@test>
S: 550 5.1.1 <ü@test>: There is no such address here
C: RCPT TO:<u@bücher.example>
S: 554 5.7.1 <u@xn--bcher-kva.example>: This domain is not served here
C: RCPT TO:<u@test> SMTPUTF8
S: 555 5.5.4 The parameter SMTPUTF8 is not known here
C: DATA\r\nSubject: ä\r\n\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept
F: envelope mx <ä@xn--bcher-kva.example> <jürgen@test> utf8
F: check INBOX 1 with UTF8SMTP id
F: check INBOX 1 for <jürgen@test>
F: check INBOX 1 Return-Path: <ä@xn--bcher-kva.example>
# It is of one transaction.
C: MAIL FROM:<a@b.example>
S: 250 ...
C: RCPT TO:<jürgen@test>
S: 553 5.6.7 ...
C: VRFY jürgen SMTPUTF8
S: 252 ...
C: QUIT
S: 221 ...
S-end
