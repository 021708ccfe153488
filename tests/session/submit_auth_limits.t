# Wrong log-ins end the session; a wrong name and a wrong password look the same; failures of ours do not count.
S: 220 ...
C: HELO c.example
S: 250 ...
# 12288 bytes fit a line, one more does not (RFC 4954 section 4).
C: AUTH PLAIN \*12277xA
S: 501 5.5.2 This is not a response of the mechanism
C: AUTH PLAIN \*12278xA
S: 500 5.5.2 The line is too long
C: AUTH PLAIN
S: 334 
C: \*12289xA
S: 500 5.5.6 The line is too long
C: NOOP
S: 250 ...
C: AUTH PLAIN AGJ1c3kAc2VjcmV0
S: 454 4.7.0 Cannot check passwords now, try again
C: AUTH PLAIN AHUAd3Jvbmc=
S: 535 5.7.8 Wrong name or password
C: AUTH PLAIN AG5vYm9keQBzZWNyZXQ=
S: 535 5.7.8 Wrong name or password
C: AUTH PLAIN AHUA
S: 535 5.7.8 Wrong name or password
C: AUTH PLAIN AHUAd3Jvbmc=
S: 535 5.7.8 Wrong name or password
C: AUTH PLAIN AHUAd3Jvbmc=\r\nAUTH PLAIN AHUAc2VjcmV0
S: 421 4.7.0 Too many attempts, good bye
S-end
2S: 220 ...
2C: HELO c.example
2S: 250 ...
2C: AUTH PLAIN AGZhc3QAc2VjcmV0
2S: 421 4.7.0 Too many attempts, good bye
2S-end
