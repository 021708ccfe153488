# AUTH OAUTHBEARER and XOAUTH2 with oauth on: with and without an initial response, refused with a reason, then with a word.
S: +OK mail.test ready
C: AUTH
S: +OK Mechanisms
S: SCRAM-SHA-256
S: PLAIN
S: LOGIN
S: OAUTHBEARER
S: XOAUTH2
S: .
C: AUTH OAUTHBEARER bixhPXUsAWF1dGg9QmVhcmVyIGJhZAEB
S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2lkLnRlc3QvLndlbGwta25vd24vb3BlbmlkLWNvbmZpZ3VyYXRpb24ifQ==
C: AQ==
S: -ERR [AUTH] Wrong name or password
C: AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIGJhZAEB
S: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=
C:
S: -ERR [AUTH] Wrong name or password
C: AUTH OAUTHBEARER bixhPXUsAWF1dGg9AQE=
S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2lkLnRlc3QvLndlbGwta25vd24vb3BlbmlkLWNvbmZpZ3VyYXRpb24ifQ==
C: *
S: -ERR Log-in cancelled
C: AUTH XOAUTH2 dXNlcj1iZW4BYXV0aD1CZWFyZXIgZ29vZC50b2tlbgEB
S: + eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=
C: dXNlcj11AWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
S: -ERR [AUTH] Wrong name or password
C: AUTH OAUTHBEARER dXNlcj11AWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
S: -ERR This is not a response of the mechanism
C: AUTH XOAUTH2 bixhPXUsAWhvc3Q9bWFpbC50ZXN0AXBvcnQ9MTQzAWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
S: -ERR This is not a response of the mechanism
C: AUTH OAUTHBEARER cD10bHMtZXhwb3J0ZXIsLAFhdXRoPUJlYXJlciBnb29kLnRva2VuAQE=
S: -ERR This is not a response of the mechanism
C: AUTH OAUTHBEARER =
S: -ERR This is not a response of the mechanism
C: AUTH OAUTHBEARER
S: +...
C: bixhPXUsAWhvc3Q9bWFpbC50ZXN0AXBvcnQ9MTQzAWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
S: +OK 0 messages
C: QUIT
S: +OK ...
S-end
2S: +OK mail.test ready
2C: AUTH XOAUTH2 dXNlcj1idXN5AWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
2S: -ERR [SYS/TEMP] Cannot check passwords now, try again
2C: AUTH XOAUTH2
2S: +...
2C: dXNlcj11AWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
2S: +OK 0 messages
3S: +OK mail.test ready
3C: AUTH OAUTHBEARER biwsAWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
3S: +OK 0 messages
4S: +OK mail.test ready
4C: AUTH XOAUTH2 dXNlcj1mYXN0AWF1dGg9QmVhcmVyIGdvb2QudG9rZW4BAQ==
4S: -ERR [SYS/TEMP] Too many attempts, try again later
4S-end
