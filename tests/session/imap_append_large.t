# once
# Messages of several pieces; the store lost in the middle; a command literal far too large.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a1 APPEND INBOX {1000000}
S: + OK
C: \*500000xA\*499994xBtheend
S: a1 OK [APPENDUID 1001 1] Saved
F: check INBOX 1 ABBBBBBB
F: check INBOX 1 BBtheend
C: a2 STATUS INBOX (SIZE)
S: * STATUS INBOX (SIZE 1000000)
S: a2 OK ...
C: a3 APPEND INBOX {600000+}
C-: \*400000xA
F: lose
F: revive
C: \*200000xA
S: a3 NO [UNAVAILABLE] ...
F: fail blob_add 11
C: a4 APPEND INBOX {600000+}
C: \*600000xA
S: a4 NO [LIMIT] ...
C: a5 CREATE {3000000+}
C: \*3000000xA and {10+}
C: 0123456789
S: a5 BAD [TOOBIG] The command is too long
C: a6 CREATE {3000000}
S: a6 BAD [TOOBIG] The command is too long
C: a7 NOOP \*70000xA
S: a7 BAD The line is too long
C: a8 APPEND INBOX {5}
S: + OK
C: hello
S: a8 OK [APPENDUID 1001 2] Saved
