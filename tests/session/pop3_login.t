# Commands before and after the log-in, both ways of AUTH, and their failures.
S: +OK mail.test ready
C: CAPA
S: +OK What this server can do
S: TOP
S: UIDL
S: RESP-CODES
S: AUTH-RESP-CODE
S: PIPELINING
S: EXPIRE NEVER
S: UTF8
S: USER
S: SASL SCRAM-SHA-256 PLAIN LOGIN
S: IMPLEMENTATION Godwit
S: .
C: STAT
S: -ERR Log in first
C: LIST
S: -ERR Log in first
C: UIDL
S: -ERR Log in first
C: RETR 1
S: -ERR Log in first
C: TOP 1 0
S: -ERR Log in first
C: DELE 1
S: -ERR Log in first
C: RSET
S: -ERR Log in first
C: NOOP
S: -ERR Log in first
C: STLS
S: -ERR [SYS/TEMP] TLS is not available now
C: APOP u 0123
S: -ERR There is no such command
C: PASS secret
S: -ERR Say USER first
C: USER
S: -ERR Expected USER name
C: USER \*513xu
S: -ERR Expected USER name
C: UTF8
S: +OK UTF-8 it is
C: user u
S: +OK Now the password
C: pass secret
S: +OK 0 messages
C: USER u
S: -ERR You are logged in
C: PASS secret
S: -ERR You are logged in
C: AUTH PLAIN
S: -ERR You are logged in
C: STLS
S: -ERR You are logged in
C: capa
S: +OK ...
S: TOP
S: UIDL
S: RESP-CODES
S: AUTH-RESP-CODE
S: PIPELINING
S: EXPIRE NEVER
S: UTF8
S: USER
S: SASL SCRAM-SHA-256 PLAIN LOGIN
S: IMPLEMENTATION Godwit
S: .
C: NOOP
S: +OK Fine
C: QUIT
S: +OK Good bye
S-end
2S: +OK ...
2C: AUTH
2S: +OK Mechanisms
2S: SCRAM-SHA-256
2S: PLAIN
2S: LOGIN
2S: .
2C: AUTH CRAM-MD5
2S: -ERR CAPA lists the mechanisms
2C: AUTH PLAIN
2S: + 
2C: *
2S: -ERR Log-in cancelled
2C: AUTH PLAIN =
2S: -ERR This is not a response of the mechanism
2C: AUTH PLAIN
2S: + 
2C: !
2S: -ERR This is not a response of the mechanism
2C: AUTH LOGIN
2S: + VXNlcm5hbWU6
2C: =
2S: -ERR This is not a response of the mechanism
2C: AUTH PLAIN b3RoZXIAdQBzZWNyZXQ=
2S: -ERR [AUTH] Wrong name or password
# A broken line ends an exchange as well: what follows is a command again.
2C: AUTH PLAIN
2S: + 
2C-: AHUAc2VjcmV0\n
2S: -ERR A line ends with ...
2C: AHUAc2VjcmV0
2S: -ERR There is no such command
2C: AUTH PLAIN
2S: + 
2C: \*12289xA
2S: -ERR The line is too long
2C: AHUAc2VjcmV0
2S: -ERR There is no such command
2C: AUTH LOGIN dQ==\r\nc2VjcmV0
2S: + UGFzc3dvcmQ6
2S: +OK 0 messages
2C: QUIT
2S: +OK Good bye
2S-end
3S: +OK ...
3C: AUTH PLAIN AHUAc2VjcmV0\r\nSTAT\r\nQUIT
3S: +OK 0 messages
3S: +OK 0 0
3S: +OK Good bye
3S-end
