# once A pause between log-ins is told, and kept, with delay on: only the right password is one.
S: +OK ...
C: CAPA
10x S: ...
S: LOGIN-DELAY 3600
S: IMPLEMENTATION Godwit
S: .
C: USER u\r\nPASS wrong
S: +OK ...
S: -ERR [AUTH] Wrong name or password
C: USER u\r\nPASS secret\r\nQUIT
S: +OK ...
S: +OK 0 messages
S: +OK Good bye
S-end
2S: +OK ...
2C: USER u\r\nPASS wrong
2S: +OK ...
2S: -ERR [AUTH] Wrong name or password
2C: AUTH PLAIN AHUAc2VjcmV0
2S: -ERR [LOGIN-DELAY] Your mail was looked at a moment ago, try again in ... s
2S-end
