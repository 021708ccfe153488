# What users may ask of the delivery: RFC 4865, RFC 2852, RFC 6710.
S: 220 ...
C: HELO c.example\r\nAUTH PLAIN AHUAc2VjcmV0
S: 250 ...
S: 235 ...
C: MAIL FROM:<u@test> HOLDFOR=31536001
S: 501 5.5.4 A message is held for 31536000 seconds at the most
C: MAIL FROM:<u@test> HOLDUNTIL=2001-01-01T00:00:00Z
S: 501 5.5.4 The time of HOLDUNTIL is over
C: MAIL FROM:<u@test> HOLDFOR=60 HOLDFOR=60
S: 501 5.5.4 HOLDFOR has no such value, or came twice
C: MAIL FROM:<u@test> HOLDFOR=60 BY=59;N
S: 501 5.5.4 The message would be held until after the time of BY
C: MAIL FROM:<u@test> HOLDFOR=60 ENVID=e BY=60;N MT-PRIORITY=-9
S: 250 2.1.0 ...
C: RCPT TO:<u@test>
S: 250 ...
C: DATA\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept, queued as 5eed
F: envelope submit <u@test> <u@test> envid=e hold=for;60 by=N priority=-9
F: check INBOX 1 PRIORITY -9;
C: QUIT
S: 221 ...
S-end
