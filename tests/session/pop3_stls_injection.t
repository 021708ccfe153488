# once Commands sent ahead of the handshake, with tls on, end the session; a name from before it is forgotten.
S: +OK ...
C: STLS\r\nUSER evil
S: +OK Go ahead
S-end
2S: +OK ...
2C: USER u
2S: +OK Now the password
2C: STLS
2S: +OK Go ahead
2C-tls
2C: PASS secret
2S: -ERR Say USER first
2C: QUIT
2S: +OK Good bye
2S-end
