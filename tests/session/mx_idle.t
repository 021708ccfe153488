# Commands that bring no mail: a hundred, then the session ends; a message starts the count anew.
S: 220 ...
C: EHLO c.example
9x S: 250-...
S: 250 ENHANCEDSTATUSCODES
49x C: NOOP\r\nRSET
98x S: 250 2.0.0 ...
C: VRFY u
S: 252 ...
C: VRFY u
S: 421 4.7.0 Too many commands without a message, good bye
S-end
2S: 220 ...
2C: HELO c.example
2S: 250 mail.test
# A message that was begun and given up has another limit.
120x 2C: MAIL FROM:<a@b.example>\r\nRSET
240x 2S: 250 2...
99x 2C: HELO c.example
99x 2S: 250 mail.test
2C: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>\r\nDATA
2S: 250 ...
2S: 250 ...
2S: 354 ...
2C: a\r\n.
2S: 250 2.0.0 Kept
99x 2C: NOOP
99x 2S: 250 2.0.0 Fine
2C: HELP
2S: 214-...
2S: 214-...
2S: 214 ...
2C: NOOP\r\nNOOP
2S: 421 4.7.0 Too many commands without a message, good bye
2S-end
# Empty chunks.
3S: 220 ...
3C: HELO c.example
3S: 250 mail.test
3C: MAIL FROM:<a@b.example>\r\nRCPT TO:<u@test>
3S: 250 ...
3S: 250 ...
99x 3C: BDAT 0
99x 3S: 250 2.0.0 0 bytes
3C: BDAT 0
3S: 421 4.7.0 Too many commands without a message, good bye
3S-end
# Chunks behind one that was refused are no such commands: they were in the pipeline, as many as a large message has.
4S: 220 ...
4C: HELO c.example
4S: 250 mail.test
120x 4C: BDAT 6\r\nNOOP
120x 4S: 503 5.5.1 Say MAIL first
4C: NOOP
4S: 250 2.0.0 Fine
