# Who comes too often does not go on asking: each such answer is an error.
S: 220 ...
C: HELO c.example
S: 250 ...
C: MAIL FROM:<a@b.example>
S: 250 ...
19x C: RCPT TO:<often@test>
19x S: 451 4.7.1 <often@test>: Too much mail within this hour, please try later
C: RCPT TO:<often@test>
S: 451 4.7.1 <often@test>: Too much mail within this hour, please try later
S: 421 4.7.0 Too many errors, good bye
S-end
