# BDAT of users: a log-in first, the header completed, stray line ends mended, across pieces too.
S: 220 ...
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-DELIVERBY 5
S: 250-MT-PRIORITY MIXER
S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
S: 250-DSN
S: 250-FUTURERELEASE 31536000 20...
S: 250-LIMITS MAILMAX=1000 RCPTMAX=1000
S: 250 ENHANCEDSTATUSCODES
C: BDAT 6 LAST\r\nQUIT
S: 530 5.7.0 Log in first, with AUTH
C: AUTH PLAIN AHUAc2VjcmV0
S: 235 ...
C: MAIL FROM:<u@test>\r\nRCPT TO:<x@other.example>
S: 250 ...
S: 250 ...
C-: BDAT 17\r\nSubject: s\nBcc: bBDAT 11\r\n\n\n.\na\rb\r\n\nxBDAT 0 LAST\r\n
S: 250 2.0.0 17 bytes
S: 250 2.0.0 11 bytes
S: 250 2.0.0 Kept, queued as 5eed
F: check INBOX 1 Message-ID: <
F: ends INBOX 1 \r\n\r\n.\r\na b\r\n\r\nx\r\n
C-: MAIL FROM:<u@test>\r\nRCPT TO:<x@other.example>\r\nBDAT 2 LAST\r\na\r
S: 250 ...
S: 250 ...
S: 250 2.0.0 Kept, queued as 5eed
F: ends INBOX 2 a \r\n
# A binary part is encoded before the header is completed.
C: MAIL FROM:<u@test> BODY=BINARYMIME\r\nRCPT TO:<x@other.example>
S: 250 ...
S: 250 ...
C-: BDAT 47 LAST\r\nBcc: x\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\n
S: 250 2.0.0 Kept, queued as 5eed
F: check INBOX 3 MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n
F: ends INBOX 3 \r\n\r\nAAo=\r\n
C: QUIT
S: 221 ...
S-end
