# once The largest message in pieces, and one byte more; pieces in the pipeline behind a refusal are no errors of their own.
S: 220 ...
C: HELO c.example
S: 250 ...
C-: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nBDAT 4000000\r\n\*4000000xaBDAT 194304 LAST\r\n\*194302xb\r\n
S: 250 ...
S: 250 ...
S: 250 2.0.0 4000000 bytes
S: 250 2.0.0 Kept
C-: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nBDAT 4194304\r\n\*4194304xaBDAT 1 LAST\r\nb
S: 250 ...
S: 250 ...
S: 250 2.0.0 4194304 bytes
S: 552 5.3.4 The message is too large
C-: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nBDAT 4194305\r\n\*4194305xa
S: 250 ...
S: 250 ...
S: 552 5.3.4 The message is too large
100x C: BDAT 6\r\nNOOP
100x S: 503 5.5.1 Say MAIL first
C: BDAT 6 LAST\r\nNOOP
S: 503 5.5.1 Say MAIL first
C: NOOP
S: 250 2.0.0 Fine
# Two errors so far.  Refusals with nothing before them count.
17x C: BDAT 6 LAST\r\nNOOP
17x S: 503 5.5.1 Say MAIL first
C: BDAT 6 LAST\r\nNOOP
S: 503 5.5.1 Say MAIL first
S: 421 4.7.0 Too many errors, good bye
S-end
