# Who may send as whom, DSN parameters, lenient paths.
S: 220 ...
C: HELO c.example\r\nAUTH PLAIN AHUAc2VjcmV0
S: 250 ...
S: 235 ...
C: MAIL FROM:<nobody@test>
S: 553 5.7.1 u@test may not send as nobody@test
C: RCPT TO:<u@test>
S: 503 5.5.1 Say MAIL first
C: MAIL FROM:<x@other.example>
S: 553 5.7.1 u@test may not send as x@other.example
F: fail may_send_as 7
C: MAIL FROM:<u@test>
S: 451 4.3.0 Cannot check the sender now, try again
C: MAIL FROM: u@test RET=HDRS ENVID=a+2Bb
S: 250 2.1.0 Sender is fine
C: RCPT TO: x@other.example NOTIFY=SUCCESS,DELAY ORCPT=rfc822;y@other.example
S: 250 ...
C: RCPT TO:<nobody@test>
S: 550 5.1.1 ...
C: RCPT TO:<u@test> NOTIFY=NEVER
S: 250 ...
C: RCPT TO:<u@test> NOTIFY=NEVER,DELAY
S: 501 5.5.4 NOTIFY has no such value, or came twice
C: RCPT TO:<u@test> ORCPT=rfc822;a ORCPT=rfc822;b
S: 501 5.5.4 ORCPT has no such value, or came twice
C: RCPT TO:<u@test> SIZE=1
S: 555 5.5.4 ...
C: DATA\r\nSubject: x\r\nBcc: secret@other.example\r\n\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as 5eed
F: envelope submit <u@test> <x@other.example> notify=10 orcpt=rfc822;y@other.example <u@test> notify=1 envid=a+2Bb
F: check INBOX 1 Message-ID: <
C: MAIL FROM:<alias@test> RET=FULL ENVID=\*100xe
S: 250 ...
C: RCPT TO:<x@other.example> ORCPT=rfc822;\*493xo
S: 250 ...
C: DATA\r\nFrom: a\n.\nstill the same\n\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as 5eed
F: check INBOX 2 still the same
C: MAIL FROM:<alias@test> ENVID=\*101xe
S: 501 5.5.4 ...
C: MAIL FROM:<u@test> ENVID=a+0D+0AX:b
S: 501 5.5.4 ...
# FUTURERELEASE, RFC 4865.
C: MAIL FROM:<u@test> HOLDFOR=31536001
S: 501 5.5.4 A message is held for 31536000 seconds at the most
C: MAIL FROM:<u@test> HOLDUNTIL=2001-01-01T00:00:00Z
S: 501 5.5.4 The time of HOLDUNTIL is over
C: MAIL FROM:<u@test> HOLDFOR=60 HOLDFOR=60
S: 501 5.5.4 HOLDFOR has no such value, or came twice
C: MAIL FROM:<u@test> HOLDFOR=60 BY=59;N
S: 501 5.5.4 The message would be held until after the time of BY
C: MAIL FROM:<u@test> HOLDFOR=60 ENVID=e BY=60;N
S: 250 ...
C: RCPT TO:<u@test>
S: 250 ...
C: DATA\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as 5eed
F: envelope submit <u@test> <u@test> envid=e hold=for;60 by=N
C: MAIL FROM:<>\r\nRCPT TO:<x@other.example>
S: 250 ...
S: 250 ...
F: fail submit 2
C: DATA\r\nx\r\n.
S: 354 ...
S: 554 5.4.6 ...
C: QUIT
S: 221 ...
S-end
