# Commands that are none, and the end of patience.
S: * OK ...
C: a1 LOGIN u secret
S: a1 OK ...
C: justatag
S: * BAD A command begins with a tag and a blank
C: a2 FROBNICATE
S: a2 BAD There is no such command
C: a3 UID
S: a3 BAD UID of what?
C: a4 UID NOOP
S: a4 BAD There is no such command
C: a5 STARTTLS
S: a5 BAD You are logged in already
C: a6 CHECK
S: a6 BAD Select a mailbox first
C: a7 NOOP
S: a7 OK Done
C: b1 x
C: b2 x
C: b3 x
C: b4 x
C: b5 x
C: b6 x
C: b7 x
C: b8 x
C: b9 x
C: b10 x
C: b11 x
C: b12 x
C: b13 x
C: b14 x
C: b15 x
C: b16 x
C: b17 x
C: b18 x
C: b19 x
C: b20 x
S: b1 BAD There is no such command
S: b2 BAD There is no such command
S: b3 BAD There is no such command
S: b4 BAD There is no such command
S: b5 BAD There is no such command
S: b6 BAD There is no such command
S: b7 BAD There is no such command
S: b8 BAD There is no such command
S: b9 BAD There is no such command
S: b10 BAD There is no such command
S: b11 BAD There is no such command
S: b12 BAD There is no such command
S: b13 BAD There is no such command
S: b14 BAD There is no such command
S: b15 BAD There is no such command
S: b16 BAD There is no such command
S: b17 BAD There is no such command
S: b18 BAD There is no such command
S: b19 BAD There is no such command
S: b20 BAD There is no such command
S: * BYE Too many wrong commands
S-end
