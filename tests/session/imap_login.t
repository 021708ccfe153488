# Greeting, capabilities, log-in and its refusals.
S: * OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ... AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN] mail.test ready
C: a1 capability
S: * CAPABILITY IMAP4rev1 ... AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN
S: a1 OK ...
C: a2 NOOP
S: a2 OK Done
C:
C: a3 SELECT INBOX
S: a3 BAD Log in first
C: a4 LOGIN u wrong
S: a4 NO [AUTHENTICATIONFAILED] Wrong name or password
C: a5 LOGIN busy secret
S: a5 NO [UNAVAILABLE] ...
C: a6 login "u" "secret"
S: a6 OK [CAPABILITY IMAP4rev1 ... XLIST ... QUOTA=RES-MESSAGE] Logged in
C: a7 LOGIN u secret
S: a7 BAD You are logged in already
C: a8 ID NIL
S: * ID ("name" "Godwit")
S: a8 OK ...
C: a9 ID ()
S: * ID ("name" "Godwit")
S: a9 OK ...
C: a10 ID ("name" "Mail \\"x\\"" "version" NIL)
S: * ID ("name" "Godwit")
S: a10 OK ...
C: a11 ENABLE CONDSTORE UTF8=ACCEPT
S: * ENABLED
S: a11 OK ...
C: a12 NAMESPACE
S: * NAMESPACE (("" "/")) NIL NIL
S: a12 OK ...
C: a13 LOGOUT
S: * BYE Good bye
S: a13 OK Logged out
S-end
