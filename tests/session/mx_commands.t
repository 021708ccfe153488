# Every command in the states of a session: before a greeting, after it, inside a transaction.
S: 220 mail.test ESMTP Godwit
C: MAIL FROM:<a@b.example>
S: 503 5.5.1 Say EHLO first
C: RCPT TO:<u@test>
S: 503 5.5.1 Say EHLO first
C: DATA
S: 503 5.5.1 Say EHLO first
C: STARTTLS
S: 503 5.5.1 Say EHLO first
C: AUTH PLAIN
S: 503 5.5.1 Say EHLO first
C: BDAT 6 LAST\r\nQUIT
S: 503 5.5.1 Say EHLO first
C: VRFY u
S: 503 5.5.1 Say EHLO first
C: EXPN u
S: 503 5.5.1 Say EHLO first
C: NOOP
S: 250 2.0.0 Fine
C: noop with words
S: 250 2.0.0 Fine
C: RSET
S: 250 2.0.0 Forgotten
C: HELP
S: 214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
S: 214-2.0.0 ...
S: 214 2.0.0 People read mail to postmaster@...
C: EHLO
S: 501 5.5.4 ...
C: HELO 
S: 501 5.5.4 ...
C: EHLO \*256xa
S: 501 5.5.4 ...
C: QUIT now
S: 221 2.0.0 Good bye
S-end
2S: 220 mail.test ESMTP Godwit
2C: HELO c.example
2S: 250 mail.test
2C: RCPT TO:<u@test>
2S: 503 5.5.1 Say MAIL first
2C: DATA
2S: 503 5.5.1 Say MAIL first
2C: EHLO \*255xa
2S: 250-mail.test
2S: 250-PIPELINING
2S: 250-SIZE 4194304
2S: 250-8BITMIME
2S: 250-CHUNKING
2S: 250-BINARYMIME
2S: 250-SMTPUTF8
2S: 250-MT-PRIORITY MIXER
2S: 250-LIMITS MAILMAX=1000 RCPTMAX=100
2S: 250 ENHANCEDSTATUSCODES
2C: STARTTLS
2S: 454 4.7.0 TLS is not available now
2C: STARTTLS x
2S: 501 5.5.4 STARTTLS takes no argument
2C: AUTH PLAIN AHUAc2VjcmV0
2S: 503 5.5.1 Users log in on port 465 or 587
2C: VRFY
2S: 501 5.5.4 VRFY what?
2C: VRFY u
2S: 252 2.0.0 Send some mail, and see
2C: VRFY nobody
2S: 252 2.0.0 Send some mail, and see
2C: EXPN list
2S: 502 5.5.1 Lists are not shown
2C: BDAT 6 LAST\r\nQUIT
2S: 503 5.5.1 Say MAIL first
2C: ETRN x
2S: 502 5.5.1 This command is not served here
2C: SEND FROM:<>
2S: 502 5.5.1 ...
2C: turn
2S: 502 5.5.1 ...
2C: MAIL\x09FROM:<>
2S: 500 5.5.2 There is no such command
2C: 
2S: 500 5.5.2 There is no such command
2C: RSET x
2S: 501 5.5.4 RSET takes no argument
2C: mail from:<a@b.example>
2S: 250 2.1.0 Sender is fine
2C: MAIL FROM:<a@b.example>
2S: 503 5.5.1 One sender at a time: finish this message or say RSET
2C: DATA
2S: 554 5.5.1 There is no valid recipient
2C: DATA now
2S: 501 5.5.4 DATA takes no argument
2C: NOOP
2S: 250 2.0.0 Fine
2C: rcpt to:<u@test>
2S: 250 2.1.5 Recipient is fine
2C: RSET
2S: 250 2.0.0 Forgotten
2C: DATA
2S: 503 5.5.1 Say MAIL first
2C: MAIL FROM:<a@b.example>
2S: 250 2.1.0 Sender is fine
2C: RCPT TO:<u@test>
2S: 250 2.1.5 Recipient is fine
2C: HELO again.example
2S: 250 mail.test
2C: DATA
2S: 503 5.5.1 Say MAIL first
2C: QUIT
2S: 221 2.0.0 Good bye
2S-end
# A browser that was led here: no second line of it is read.
3S: 220 mail.test ESMTP Godwit
3C: POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<>
3S: 554 5.5.1 This is a mail server
3S-end
