# Lines, recipients, errors: below, at and above their limits.
S: 220 ...
C: HELO c.example
S: 250 ...
C: NOOP \*2043xa
S: 250 2.0.0 Fine
C: NOOP \*2044xa
S: 500 5.5.2 The line is too long
C: NOOP \*12283xa
S: 500 5.5.2 The line is too long
C: NOOP \*12284xa
S: 500 5.5.2 The line is too long
C: NOOP \*100000xa
S: 500 5.5.2 The line is too long
C: NOOP
S: 250 2.0.0 Fine
C-: NOOP\n
S: 500 5.5.2 A line ends with CR LF, and has no CR, LF or NUL inside
C: NO\x00OP
S: 500 5.5.2 A line ends with CR LF, and has no CR, LF or NUL inside
C: NO\rOP
S: 500 5.5.2 A line ends with CR LF, and has no CR, LF or NUL inside
# Smuggled by a bare LF: one broken line, not two commands.
C: MAIL FROM:<a@b.example>
S: 250 ...
100x C: RCPT TO:<u@test>
100x S: 250 2.1.5 Recipient is fine
C: RCPT TO:<u@test>
S: 452 4.5.3 Too many recipients, send the rest in another message
C: RCPT TO:<nobody@test>
S: 452 4.5.3 ...
C: RSET
S: 250 ...
# Seven errors so far; the twentieth ends the session.
12x C: WHAT
12x S: 500 5.5.2 There is no such command
C: WHAT\r\nNOOP
S: 500 5.5.2 There is no such command
S: 421 4.7.0 Too many errors, good bye
S-end
