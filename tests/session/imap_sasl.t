# AUTHENTICATE PLAIN and LOGIN, with and without an initial response (RFC 4959), and their failures.
S: * OK ...
C: a1 AUTHENTICATE PLAIN
S: + 
C: *
S: a1 BAD Log-in cancelled
C: a2 AUTHENTICATE PLAIN
S: + 
C: AHUAd3Jvbmc=
S: a2 NO [AUTHENTICATIONFAILED] Wrong name or password
C: a3 AUTHENTICATE PLAIN !!!
S: a3 BAD This is not a response of the mechanism
C: a4 AUTHENTICATE CRAM-MD5
S: a4 NO [CANNOT] CAPABILITY lists the mechanisms
C: a5 authenticate login
S: + VXNlcm5hbWU6
C: dQ==
S: + UGFzc3dvcmQ6
C: *
S: a5 BAD Log-in cancelled
C: a6 AUTHENTICATE PLAIN b3RoZXIAdQBzZWNyZXQ=
S: a6 NO [AUTHORIZATIONFAILED] You can only act as yourself
C: a7 AUTHENTICATE LOGIN dQ==
S: + UGFzc3dvcmQ6
C: c2VjcmV0
S: a7 OK [CAPABILITY ...] Logged in
C: a8 LOGOUT
S: * BYE Good bye
S: a8 OK ...
S-end
2S: * OK ...
2C: b1 AUTHENTICATE PLAIN AHUAc2VjcmV0
2S: b1 OK [CAPABILITY ...] Logged in
2C: b2 LOGOUT
2S: * BYE ...
2S: b2 OK ...
2S-end
3S: * OK ...
3C: c1 LOGIN {1+}
3C: u {6+}
3C: secret
3S: c1 OK [CAPABILITY ...] Logged in
