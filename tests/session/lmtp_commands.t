# LMTP (RFC 2033): LHLO and no other greeting, no relaying, no log-in, no limit of errors.
S: 220 mail.test LMTP Godwit
C: EHLO c.example
S: 500 5.5.1 This is LMTP: say LHLO
C: HELO c.example
S: 500 5.5.1 This is LMTP: say LHLO
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 Say LHLO first
C: LHLO
S: 501 5.5.4 Your host name is missing, as in LHLO host.example
C: LHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-DELIVERBY 5
S: 250-MT-PRIORITY MIXER
S: 250-LIMITS MAILMAX=1000 RCPTMAX=100
S: 250 ENHANCEDSTATUSCODES
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 ...
C: HELP
S: 214-2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
S: 214-2.0.0 RFC 5321 says what they do; LHLO tells which extensions there are
S: 214 2.0.0 ...
C: DATA
S: 503 5.5.1 Say MAIL first
C: MAIL FROM:<a@b.example> RET=FULL
S: 555 ...
C: MAIL FROM:<a@b.example>
S: 250 2.1.0 Sender is fine
C: DATA
S: 503 5.5.1 There is no valid recipient
C: RCPT TO:<u@elsewhere.example>
S: 554 5.7.1 <u@elsewhere.example>: This domain is not served here
C: RCPT TO:<full@test>
S: 452 4.2.2 <full@test>: The mailbox is full
C: RCPT TO:<off@test>
S: 550 5.2.1 ...
C: DATA
S: 503 5.5.1 There is no valid recipient
# Whom strangers wrote to is not this client's fault.
40x C: RCPT TO:<nobody@test>
40x S: 550 5.1.1 <nobody@test>: There is no such address here
C: QUIT
S: 221 2.0.0 Good bye
S-end
