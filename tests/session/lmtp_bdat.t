# Chunks (RFC 2033 section 4.3): the last has an answer for each recipient, be they none.
S: 220 ...
C: LHLO c.example
10x S: 250-...
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nRCPT TO:<full-later@test>
3x S: 250 ...
C: BDAT 5\r\nabc\r\nBDAT 5 LAST\r\ndef
S: 250 2.0.0 5 bytes
S: 250 2.0.0 <u@test>: Kept
S: 452 4.2.2 <full-later@test>: The mailbox is full
F: check INBOX 1 def
C: MAIL FROM:<a@b.example>
S: 250 ...
C: BDAT 5 LAST\r\nabc\r\nNOOP
S: 250 2.0.0 Fine
C: BDAT 5 LAST\r\nabc
S: 503 5.5.1 Say MAIL first
# A chunk in the middle is refused once; the last one behind it for each recipient.
C: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nRCPT TO:<alias@test>
3x S: 250 ...
C: BDAT 7\r\na\nbcd\r\nBDAT 5\r\nabc\r\nBDAT 5 LAST\r\nabc\r\nNOOP
S: 550 5.6.0 Bare CR, bare LF or NUL in the message
S: 503 5.5.1 ...
S: 503 5.5.1 ...
S: 503 5.5.1 ...
S: 250 2.0.0 Fine
C: BDAT 5 LAST\r\nabc
S: 503 5.5.1 Say MAIL first
