# XCLIENT: who is listed says for whom it speaks, and is that client from then on.
S: 220 ...
C: EHLO c.example
9x S: 250-...
S: 250 ENHANCEDSTATUSCODES
C: XCLIENT ADDR=192.0.2.1
S: 550 5.7.0 You may not speak for others
F: xclient
F: relay
2S: 220 mail.test ESMTP Godwit
2C: EHLO proxy.example
9x 2S: 250-...
2S: 250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT
2S: 250-LIMITS ...
2S: 250 ENHANCEDSTATUSCODES
2C: XCLIENT
2S: 501 5.5.4 ...
2C: XCLIENT LOGIN=u
2S: 501 5.5.4 ...
2C: XCLIENT ADDR=192.0.2.1 NAME=client.example LOGIN=[UNAVAILABLE]\r\nMAIL FROM:<a@b.example>
2S: 220 mail.test ESMTP Godwit
2S: 503 5.5.1 Say EHLO first
2C: HELO client.example
2S: 250 mail.test
# It is not of relay-from, where the one that speaks for it is.
2C: MAIL FROM:<u@test>\r\nRCPT TO:<a@elsewhere.example>
2S: 250 ...
2S: 554 5.7.1 ...
2C: XCLIENT ADDR=192.0.2.9
2S: 503 5.5.1 Not in the middle of a message
2C: RCPT TO:<u@test>\r\nDATA
2S: 250 ...
2S: 354 ...
2C: a: b\r\n\r\n.
2S: 250 2.0.0 Kept
F: check INBOX 1 from client.example ([192.0.2.1]) by mail.test with SMTP id
# Once more, on the same connection; HELO and PROTO as told.
2C: XCLIENT ADDR=IPV6:2001:db8::7 PORT=4711 HELO=six.example PROTO=ESMTP
2S: 220 mail.test ESMTP Godwit
2C: MAIL FROM:<u@test>\r\nRCPT TO:<u@test>\r\nDATA
2S: 250 ...
2S: 250 ...
2S: 354 ...
2C: a: b\r\n\r\n.
2S: 250 2.0.0 Kept
F: check INBOX 2 from six.example ([IPv6:2001:db8::7]) by mail.test with ESMTP id
# This machine's loopback is no longer ours when somebody else says it.
2C: XCLIENT ADDR=127.0.0.1
2S: 220 ...
