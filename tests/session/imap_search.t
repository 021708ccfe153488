# SEARCH: every key, charsets, and ESEARCH (RFC 3501 section 6.4.4, RFC 4731).
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a1 APPEND INBOX (\\Seen $Work) "02-Feb-2020 05:00:00 +0000" {150+}
C: Subject: Fish\r\nFrom: Ann Archer <ann@x.example>\r\nTo: bob@y.example\r\nDate: Sat, 1 Feb 2020 23:30:00 -0500\r\nMessage-ID: <1@x>\r\n\r\nA salmon and a trout.\r\n
S: a1 OK [APPENDUID ...
C: a2 APPEND INBOX (\\Flagged \\Answered) "03-Feb-2020 12:00:00 +0000" {261+}
C: Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\nFrom: bob@y.example\r\nCc: ann@x.example\r\nBcc: secret@z.example\r\nDate: Mon, 3 Feb 2020 12:00:00 +0000\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\nX-Mark:  yes\r\n\r\nEin Fl=FC=DFchen\r\n
S: a2 OK [APPENDUID ...
C: a3 APPEND INBOX (\\Draft) "04-Feb-2020 00:00:00 +0000" {271+}
C: Subject: parts\r\nFrom: c@z.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst part\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGlkZGVuPC9iPg==\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: carried along\r\n\r\ninner words\r\n--b--\r\n
S: a3 OK [APPENDUID ...
C: a4 APPEND INBOX (\\Deleted) "05-Feb-2020 23:59:59 +0000" {21+}
C: From: d@z.example\r\n\r\n
S: a4 OK [APPENDUID ...
C: b SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 4 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 2] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 5] ...
S: b OK [READ-WRITE] Selected
C: s1 SEARCH ALL
S: * SEARCH 1 2 3 4
S: s1 OK Searched
C: s2 SEARCH ANSWERED
S: * SEARCH 2
S: s2 OK Searched
C: s3 SEARCH UNANSWERED
S: * SEARCH 1 3 4
S: s3 OK Searched
C: s4 SEARCH DELETED
S: * SEARCH 4
S: s4 OK Searched
C: s5 SEARCH UNDELETED
S: * SEARCH 1 2 3
S: s5 OK Searched
C: s6 SEARCH DRAFT
S: * SEARCH 3
S: s6 OK Searched
C: s7 SEARCH UNDRAFT
S: * SEARCH 1 2 4
S: s7 OK Searched
C: s8 SEARCH FLAGGED
S: * SEARCH 2
S: s8 OK Searched
C: s9 SEARCH UNFLAGGED
S: * SEARCH 1 3 4
S: s9 OK Searched
C: s10 SEARCH SEEN
S: * SEARCH 1
S: s10 OK Searched
C: s11 SEARCH UNSEEN
S: * SEARCH 2 3 4
S: s11 OK Searched
C: s12 SEARCH KEYWORD $work
S: * SEARCH 1
S: s12 OK Searched
C: s13 SEARCH UNKEYWORD $Work
S: * SEARCH 2 3 4
S: s13 OK Searched
C: s14 SEARCH KEYWORD nosuch
S: * SEARCH
S: s14 OK Searched
C: s15 SEARCH UNKEYWORD nosuch
S: * SEARCH 1 2 3 4
S: s15 OK Searched
C: s16 SEARCH NEW
S: * SEARCH
S: s16 OK Searched
C: s17 SEARCH RECENT
S: * SEARCH
S: s17 OK Searched
C: s18 SEARCH OLD
S: * SEARCH 1 2 3 4
S: s18 OK Searched
C: s19 SEARCH BEFORE 3-Feb-2020
S: * SEARCH 1
S: s19 OK Searched
C: s20 SEARCH ON 03-Feb-2020
S: * SEARCH 2
S: s20 OK Searched
C: s21 SEARCH SINCE "3-Feb-2020"
S: * SEARCH 2 3 4
S: s21 OK Searched
C: s22 SEARCH ON 4-feb-2020
S: * SEARCH 3
S: s22 OK Searched
C: s23 SEARCH BEFORE 1-Jan-2020
S: * SEARCH
S: s23 OK Searched
C: s24 SEARCH SENTBEFORE 2-Feb-2020
S: * SEARCH 1
S: s24 OK Searched
C: s25 SEARCH SENTON 1-Feb-2020
S: * SEARCH 1
S: s25 OK Searched
C: s26 SEARCH SENTON 2-Feb-2020
S: * SEARCH
S: s26 OK Searched
C: s27 SEARCH SENTSINCE 2-Feb-2020
S: * SEARCH 2
S: s27 OK Searched
C: s28 SEARCH SUBJECT fish
S: * SEARCH 1
S: s28 OK Searched
C: s29 SEARCH SUBJECT "gr\xc3\xbc\xc3\x9fe"
S: * SEARCH 2
S: s29 OK Searched
C: s30 SEARCH SUBJECT GR
S: * SEARCH 2
S: s30 OK Searched
C: s31 SEARCH FROM ann
S: * SEARCH 1
S: s31 OK Searched
C: s32 SEARCH FROM y.example
S: * SEARCH 2
S: s32 OK Searched
C: s33 SEARCH TO bob
S: * SEARCH 1
S: s33 OK Searched
C: s34 SEARCH CC ANN@
S: * SEARCH 2
S: s34 OK Searched
C: s35 SEARCH BCC secret
S: * SEARCH 2
S: s35 OK Searched
C: s36 SEARCH HEADER X-Mark ""
S: * SEARCH 2
S: s36 OK Searched
C: s37 SEARCH HEADER x-mark yes
S: * SEARCH 2
S: s37 OK Searched
C: s38 SEARCH HEADER X-Mark no
S: * SEARCH
S: s38 OK Searched
C: s39 SEARCH HEADER Message-ID <1@x>
S: * SEARCH 1
S: s39 OK Searched
C: s40 SEARCH HEADER Date ""
S: * SEARCH 1 2
S: s40 OK Searched
C: s41 SEARCH BODY salmon
S: * SEARCH 1
S: s41 OK Searched
C: s42 SEARCH BODY "and a"
S: * SEARCH 1
S: s42 OK Searched
C: s43 SEARCH BODY hidden
S: * SEARCH 3
S: s43 OK Searched
C: s44 SEARCH BODY "carried along"
S: * SEARCH 3
S: s44 OK Searched
C: s45 SEARCH BODY "inner words"
S: * SEARCH 3
S: s45 OK Searched
C: s46 SEARCH BODY Subject:
S: * SEARCH 3
S: s46 OK Searched
C: s47 SEARCH BODY parts
S: * SEARCH
S: s47 OK Searched
C: s48 SEARCH TEXT parts
S: * SEARCH 3
S: s48 OK Searched
C: s49 SEARCH TEXT first
S: * SEARCH 3
S: s49 OK Searched
C: s50 SEARCH BODY "fl\xc3\xbc\xc3\x9fchen"
S: * SEARCH 2
S: s50 OK Searched
C: s51 SEARCH TEXT c@z
S: * SEARCH 3
S: s51 OK Searched
C: s52 SEARCH LARGER 30
S: * SEARCH 1 2 3
S: s52 OK Searched
C: s53 SEARCH SMALLER 30
S: * SEARCH 4
S: s53 OK Searched
C: s54 SEARCH LARGER 4294967295
S: * SEARCH
S: s54 OK Searched
C: s55 SEARCH 2:3
S: * SEARCH 2 3
S: s55 OK Searched
C: s56 SEARCH *
S: * SEARCH 4
S: s56 OK Searched
C: s57 SEARCH 3:*
S: * SEARCH 3 4
S: s57 OK Searched
C: s58 SEARCH 9:*
S: * SEARCH 4
S: s58 OK Searched
C: s59 SEARCH 9:12
S: * SEARCH
S: s59 OK Searched
C: s60 SEARCH UID 2:3
S: * SEARCH 2 3
S: s60 OK Searched
C: s61 SEARCH UID 99:*
S: * SEARCH 4
S: s61 OK Searched
C: s62 SEARCH UID 4294967295
S: * SEARCH
S: s62 OK Searched
C: s63 SEARCH NOT SEEN
S: * SEARCH 2 3 4
S: s63 OK Searched
C: s64 SEARCH NOT NOT SEEN
S: * SEARCH 1
S: s64 OK Searched
C: s65 SEARCH OR SEEN FLAGGED
S: * SEARCH 1 2
S: s65 OK Searched
C: s66 SEARCH OR (SEEN UNDELETED) (DELETED)
S: * SEARCH 1 4
S: s66 OK Searched
C: s67 SEARCH NOT (OR SEEN FLAGGED)
S: * SEARCH 3 4
S: s67 OK Searched
C: s68 SEARCH 1:3 UNSEEN NOT DRAFT
S: * SEARCH 2
S: s68 OK Searched
C: s69 SEARCH OR OR SEEN FLAGGED DRAFT
S: * SEARCH 1 2 3
S: s69 OK Searched
C: s70 SEARCH (((SEEN)))
S: * SEARCH 1
S: s70 OK Searched
C: s71 SEARCH UNSEEN BODY hidden
S: * SEARCH 3
S: s71 OK Searched
C: s72 SEARCH OR BODY salmon SUBJECT parts
S: * SEARCH 1 3
S: s72 OK Searched
C: s73 SEARCH NOT TEXT example
S: * SEARCH
S: s73 OK Searched
C: s74 UID SEARCH ALL
S: * SEARCH 1 2 3 4
S: s74 OK Searched
C: t1 SEARCH CHARSET UTF-8 SUBJECT {7+}
C: GR\xc3\x9c\xc3\x9fE
S: * SEARCH 2
S: t1 OK Searched
C: t2 SEARCH CHARSET us-ascii SUBJECT {4}
S: + OK
C: fish
S: * SEARCH 1
S: t2 OK Searched
C: t3 SEARCH CHARSET "ISO-8859-1" BODY "Fl\xfc\xdfchen"
S: * SEARCH 2
S: t3 OK Searched
C: t4 SEARCH CHARSET X-NOSUCH SUBJECT fish
S: t4 NO [BADCHARSET (US-ASCII UTF-8)] This charset is not known
C: t5 SEARCH OR FROM {3+}
C: ann SUBJECT {5+}
C: parts
S: * SEARCH 1 3
S: t5 OK Searched
C: u1 SEARCH
S: u1 BAD Expected SEARCH keys
C: u2 SEARCH FROBS
S: u2 BAD Expected SEARCH keys
C: u3 SEARCH NOT
S: u3 BAD Expected SEARCH keys
C: u4 SEARCH OR SEEN
S: u4 BAD Expected SEARCH keys
C: u5 SEARCH (SEEN
S: u5 BAD Expected SEARCH keys
C: u6 SEARCH SEEN)
S: u6 BAD Expected SEARCH keys
C: u7 SEARCH ()
S: u7 BAD Expected SEARCH keys
C: u8 SEARCH BEFORE 31-Feb-2020
S: u8 BAD Expected SEARCH keys
C: u9 SEARCH SUBJECT
S: u9 BAD Expected SEARCH keys
C: v1 SEARCH LARGER x
S: v1 BAD Expected SEARCH keys
C: v2 SEARCH RETURN (SAVE) ALL
S: v2 BAD Expected SEARCH keys
C: v3 SEARCH $
S: v3 BAD Expected SEARCH keys
C: w1 SEARCH RETURN () ALL
S: * ESEARCH (TAG "w1") ALL 1:4
S: w1 OK Searched
C: w2 SEARCH RETURN (MIN MAX COUNT) UNSEEN
S: * ESEARCH (TAG "w2") MIN 2 MAX 4 COUNT 3
S: w2 OK Searched
C: w3 UID SEARCH RETURN (ALL COUNT) OR SEEN DRAFT
S: * ESEARCH (TAG "w3") UID ALL 1,3 COUNT 2
S: w3 OK Searched
C: w4 UID SEARCH RETURN (MIN ALL MAX) SUBJECT nosuch
S: * ESEARCH (TAG "w4") UID
S: w4 OK Searched
C: w5 SEARCH RETURN (COUNT) CHARSET UTF-8 SUBJECT nosuch
S: * ESEARCH (TAG "w5") COUNT 0
S: w5 OK Searched
C: w6 UID SEARCH UNDELETED *:*
S: * SEARCH
S: w6 OK Searched
F: fail records 7
C: x1 SEARCH SUBJECT fish
S: x1 NO [UNAVAILABLE] ...
F: remove INBOX 2
C: x2 SEARCH ALL
S: * SEARCH 1 2 3 4
S: x2 OK Searched
C: x3 UID SEARCH ALL
S: * SEARCH 1 2 3 4
S: * 2 EXPUNGE
S: x3 OK Searched
C: x4 SEARCH ALL
S: * SEARCH 1 2 3
S: x4 OK Searched
