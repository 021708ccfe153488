# strict and with tls : no password before the handshake, nothing kept over it.
S: 220 ...
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250-STARTTLS
S: 250-DSN
S: 250-LIMITS MAILMAX=1000 RCPTMAX=1000
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<u@test>
S: 530 5.7.0 Use STARTTLS first, then log in with AUTH
C: AUTH PLAIN AHUAc2VjcmV0
S: 538 5.7.11 Use STARTTLS first: passwords are never taken in clear
C: AUTH PLAIN
S: 538 5.7.11 ...
C: STARTTLS
S: 220 ...
C-tls
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 Say EHLO first
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
S: 250-DSN
S: 250-LIMITS MAILMAX=1000 RCPTMAX=1000
S: 250 ENHANCEDSTATUSCODES
C: AUTH PLAIN AHUAc2VjcmV0
S: 235 2.7.0 Welcome
C: STARTTLS
S: 503 5.5.1 TLS is on already
C: MAIL FROM:<u@test>\r\nRCPT TO:<x@other.example>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.
S: 250 ...
S: 250 ...
S: 354 ...
S: 250 2.0.0 Kept, queued as 5eed
F: check INBOX 1 with ESMTPSA
C: QUIT
S: 221 ...
S-end
