# Wrong log-ins end the session, a wrong name and a wrong password look the same; too many errors do as well.
S: +OK ...
C: USER u\r\nPASS wrong
S: +OK Now the password
S: -ERR [AUTH] Wrong name or password
C: USER nobody\r\nPASS secret
S: +OK Now the password
S: -ERR [AUTH] Wrong name or password
C: PASS secret
S: -ERR Say USER first
C: USER u\r\nUSER\r\nPASS secret
S: +OK Now the password
S: -ERR Expected USER name
S: -ERR Say USER first
C: USER u\r\nPASS  secret\r\nPASS secret
S: +OK Now the password
S: -ERR [AUTH] Wrong name or password
S: -ERR Say USER first
C: AUTH PLAIN AHUAd3Jvbmc=
S: -ERR [AUTH] Wrong name or password
C: USER u\r\nPASS \*513xp\r\nPASS secret
S: +OK Now the password
S: -ERR [AUTH] Wrong name or password
S: -ERR Say USER first
C: USER u\r\nPASS \*512xp
S: +OK Now the password
S: -ERR [AUTH] Wrong name or password
S-end
2S: +OK ...
2C: USER busy\r\nPASS secret
2S: +OK ...
2S: -ERR [SYS/TEMP] Cannot check passwords now, try again
2C: USER fast\r\nPASS secret
2S: +OK ...
2S: -ERR [SYS/TEMP] Too many attempts, try again later
2S-end
3S: +OK ...
20x 3C: WHAT
20x 3S: -ERR There is no such command
3C: WHAT\r\nCAPA
3S: -ERR There is no such command
3S-end
F: fail mailbox_open 7
4S: +OK ...
4C: USER u\r\nPASS secret
4S: +OK ...
4S: -ERR [SYS/TEMP] Cannot open the mailbox now, try again
4S-end
F: impatient
F: lose
5S: +OK ...
5C: USER u\r\nPASS secret
5S: +OK ...
5S: -ERR [SYS/TEMP] Cannot open the mailbox now, try again
5S-end
