# strict and with tls : no password in clear; what was said before the handshake is forgotten.
S: +OK ...
C: CAPA
S: +OK ...
S: TOP
S: UIDL
S: RESP-CODES
S: AUTH-RESP-CODE
S: PIPELINING
S: EXPIRE NEVER
S: UTF8
S: STLS
S: IMPLEMENTATION Godwit
S: .
C: USER u
S: -ERR Use STLS first: passwords are never taken in clear
C: PASS secret
S: -ERR Use STLS first: passwords are never taken in clear
C: AUTH PLAIN AHUAc2VjcmV0
S: -ERR Use STLS first: passwords are never taken in clear
C: AUTH
S: -ERR Use STLS first: passwords are never taken in clear
C: STLS
S: +OK Go ahead
C-tls
C: STLS
S: -ERR TLS is on already
C: CAPA
S: +OK ...
S: TOP
S: UIDL
S: RESP-CODES
S: AUTH-RESP-CODE
S: PIPELINING
S: EXPIRE NEVER
S: UTF8
S: USER
S: SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN
S: IMPLEMENTATION Godwit
S: .
C: USER u\r\nPASS secret\r\nQUIT
S: +OK ...
S: +OK 0 messages
S: +OK Good bye
S-end
