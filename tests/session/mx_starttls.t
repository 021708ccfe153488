# STARTTLS with tls on: offered once, nothing is kept, and nothing may be sent ahead of it.
S: 220 ...
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-MT-PRIORITY MIXER
S: 250-STARTTLS
S: 250-LIMITS MAILMAX=1000 RCPTMAX=100
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<a@b.example> REQUIRETLS
S: 555 5.5.4 The parameter REQUIRETLS is not known here without TLS
C: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>
S: 250 ...
S: 250 ...
C: STARTTLS
S: 220 2.0.0 Go ahead
C-tls
C: DATA
S: 503 5.5.1 Say EHLO first
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-MT-PRIORITY MIXER
S: 250-REQUIRETLS
S: 250-LIMITS MAILMAX=1000 RCPTMAX=100
S: 250 ENHANCEDSTATUSCODES
C: RCPT TO:<u@test>
S: 503 5.5.1 Say MAIL first
C: STARTTLS
S: 503 5.5.1 TLS is on already
C: MAIL FROM:<a@b.example> REQUIRETLS\r\nRCPT TO:<u@test>\r\nDATA\r\nx\r\n.\r\nQUIT
S: 250 ...
S: 250 ...
S: 354 ...
S: 250 2.0.0 Kept
S: 221 ...
S-end
F: check INBOX 1 with ESMTPS
F: envelope mx <a@b.example> <u@test> tls
