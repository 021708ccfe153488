# The socket of the sendmail command: who calls is known (tester, whose number runs this test), and sends at once.
S: 220 mail.test ESMTP Godwit
C: MAIL FROM:<u@test>
S: 503 5.5.1 Say EHLO first
C: EHLO localhost
S: 250-mail.test Hello tester@test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-DELIVERBY 5
S: 250-MT-PRIORITY MIXER
S: 250-DSN
S: 250-FUTURERELEASE 31536000 20...
S: 250-LIMITS MAILMAX=1000 RCPTMAX=1000
S: 250 ENHANCEDSTATUSCODES
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 You are logged in
C: MAIL FROM:<shop@far.example> RET=HDRS ENVID=id1
S: 250 2.1.0 ...
C: RCPT TO:<nobody@test>
S: 550 5.1.1 <nobody@test>: There is no such address here
C: RCPT TO:<u@test> NOTIFY=FAILURE
S: 250 2.1.5 ...
C: RCPT TO:<x@far.example>
S: 250 2.1.5 ...
C: DATA\r\nSubject: x\r\nBcc: s@test\r\n\r\nbody\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as ...
F: envelope submit <shop@far.example> <u@test> notify=4 <x@far.example> envid=id1 login=tester
F: ends INBOX 1 \r\n\r\nbody\r\n
C: MAIL FROM:<>
S: 250 2.1.0 ...
C: RCPT TO:<u@test>
S: 250 2.1.5 ...
C: DATA\r\n\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as ...
F: envelope submit <> <u@test> login=tester
C: HELO localhost
S: 250 mail.test
C: QUIT
S: 221 2.0.0 ...
S-end
