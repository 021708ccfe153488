# AUTH: before and after everything, and twice; both mechanisms, with and without an initial response.
S: 220 ...
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 Say EHLO first
C: EHLO c.example
S: 250-mail.test
S: 250-PIPELINING
S: 250-SIZE 4194304
S: 250-8BITMIME
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-SMTPUTF8
S: 250-DELIVERBY 5
S: 250-MT-PRIORITY MIXER
S: 250-AUTH SCRAM-SHA-256 PLAIN LOGIN
S: 250-DSN
S: 250-FUTURERELEASE 31536000 20...
S: 250-LIMITS MAILMAX=1000 RCPTMAX=1000
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<u@test>
S: 530 5.7.0 Log in first, with AUTH
C: RCPT TO:<u@test>
S: 530 5.7.0 Log in first, with AUTH
C: DATA
S: 530 5.7.0 Log in first, with AUTH
C: VRFY u
S: 530 5.7.0 Log in first, with AUTH
C: AUTH
S: 504 5.5.4 EHLO lists the mechanisms
C: AUTH CRAM-MD5
S: 504 5.5.4 EHLO lists the mechanisms
C: AUTH PLAIN =
S: 501 5.5.2 This is not a response of the mechanism
C: AUTH PLAIN !!!!
S: 501 5.5.2 This is not a response of the mechanism
C: AUTH PLAIN dQBzZWNyZXQ=
S: 501 5.5.2 This is not a response of the mechanism
C: AUTH LOGIN =
S: 501 5.5.2 This is not a response of the mechanism
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: dQ==
S: 334 UGFzc3dvcmQ6
C: *
S: 501 5.7.0 Log-in cancelled
# What follows a cancelled or refused exchange is a command again.
C: dQ==
S: 500 5.5.2 There is no such command
C: AUTH PLAIN
S: 334 
C: AHUAc2Vj\n
S: 500 5.5.2 A line ends with ...
S: 500 5.5.2 There is no such command
C: AUTH PLAIN b3RoZXIAdQBzZWNyZXQ=
S: 535 5.7.8 Wrong name or password
C: auth plain dQB1AHNlY3JldA==
S: 235 2.7.0 Welcome
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 You are logged in
C: HELO c.example
S: 250 mail.test
C: MAIL FROM:<u@test>
S: 250 ...
C: AUTH PLAIN AHUAc2VjcmV0
S: 503 5.5.1 You are logged in
C: QUIT
S: 221 ...
S-end
2S: 220 ...
2C: HELO c.example\r\nAUTH LOGIN\r\ndQ==\r\nc2VjcmV0\r\nMAIL FROM:<>
2S: 250 mail.test
2S: 334 VXNlcm5hbWU6
2S: 334 UGFzc3dvcmQ6
2S: 235 2.7.0 Welcome
2S: 250 2.1.0 Sender is fine
2C: QUIT
2S: 221 ...
2S-end
3S: 220 ...
3C: HELO c.example
3S: 250 mail.test
3C: AUTH LOGIN dQ==
3S: 334 UGFzc3dvcmQ6
3C: c2VjcmV0
3S: 235 2.7.0 Welcome
3C: QUIT
3S: 221 ...
3S-end
