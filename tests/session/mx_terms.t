# What strangers may ask of the delivery: RFC 6710; not RFC 2852, RFC 4865.
S: 220 ...
C: EHLO c.example
9x S: 250-...
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<a@b.example> HOLDFOR=60
S: 555 5.5.4 The parameter HOLDFOR is not known here
C: MAIL FROM:<a@b.example> MT-PRIORITY=10
S: 501 5.5.4 MT-PRIORITY has no such value, or came twice
C: MAIL FROM:<a@b.example> BY=60;R
S: 555 5.5.4 The parameter BY is not known here
C: MAIL FROM:<a@b.example> BY=60;N
S: 555 5.5.4 The parameter BY is not known here
# They have no say in what is urgent.
C: MAIL FROM:<a@b.example> MT-PRIORITY=9
S: 250 2.3.6 0 is the priority of mail from you; the sender is fine
C: RCPT TO:<u@test>
S: 250 ...
C: DATA\r\n\r\nx\r\n.
S: 354 ...
S: 250 2.0.0 Kept
F: envelope mx <a@b.example> <u@test>
F: check INBOX 1 PRIORITY 0;
C: QUIT
S: 221 ...
S-end
# Machines of relay-from do.
F: relay
2S: 220 ...
2C: EHLO printer.example
2S: 250-mail.test
9x 2S: 250-...
2S: 250 ENHANCEDSTATUSCODES
2C: MAIL FROM:<u@test> BY=4;R
2S: 555 5.5.4 With R, BY is 5 seconds at the least
2C: MAIL FROM:<u@test> BY=0;R
2S: 501 5.5.4 BY has no such value, or came twice
2C: MAIL FROM:<u@test> MT-PRIORITY=5 BY=60;N
2S: 250 2.1.0 ...
2C: RCPT TO:<x@other.example>
2S: 250 ...
2C: DATA\r\n\r\nx\r\n.
2S: 354 ...
2S: 250 2.0.0 ...
F: envelope relay <u@test> <x@other.example> peer=127.0.0.1 by=N priority=5
2C: QUIT
2S: 221 ...
2S-end
