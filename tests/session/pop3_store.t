# The store fails, loses its channel, or another session removes a message.
F: deliver INBOX
F: deliver INBOX
S: +OK ...
C: USER u\r\nPASS secret
S: +OK ...
S: +OK 2 messages
F: remove INBOX 1
C: RETR 1
S: -ERR The message was removed meanwhile
F: fail body 7
C: RETR 2
S: -ERR [SYS/TEMP] Cannot read the message now, try again
F: fail expunge 7
C: DELE 2\r\nQUIT
S: +OK Message 2 goes at QUIT
S: -ERR [SYS/TEMP] Some deleted messages were not removed
S-end
2S: +OK ...
2C: USER u\r\nPASS secret
2S: +OK ...
2S: +OK 1 messages
F: die body
2C: RETR 1
F: revive
2S: +OK 30 octets
2S: Subject: hello
2S: 
2S: A message.
2S: .
F: impatient
F: lose
2C: RETR 1
2S: -ERR [SYS/TEMP] Cannot read the message now, try again
2C: DELE 1\r\nQUIT
2S: +OK ...
2S: -ERR [SYS/TEMP] Some deleted messages were not removed
2S-end
F: revive
3S: +OK ...
3C: USER u\r\nPASS secret\r\nDELE 1
3S: +OK ...
3S: +OK 1 messages
3S: +OK ...
F: revoke
3S: -ERR [AUTH] Your session was ended
3S-end
4S: +OK ...
4C: USER u\r\nPASS secret\r\nSTAT\r\nQUIT
4S: +OK ...
4S: +OK 1 messages
4S: +OK 1 30
4S: +OK Good bye
4S-end
