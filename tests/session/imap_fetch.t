# FETCH: structure, envelope, every kind of section, partial bytes (RFC 3501 sections 6.4.5 and 7.4.2).
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a1 APPEND INBOX {967+}
C: From: Fred Foobar <foobar@Blurdybloop.example>\r\nSubject: =?utf-8?Q?afternoon_meeting_=C3=BC?=\r\nTo: mooch@owatagu.example, "The \\"Group\\"": a@b.example, c;, undisclosed-recipients:;\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nMessage-Id: <B27397-0100000@Blurdybloop.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\nContent-Language: de, en-GB\r\n\r\npreamble\r\n--b1\r\nContent-Type: TEXT/PLAIN; charset=US-ASCII\r\nContent-MD5: Q2hlY2s=\r\n\r\nHello Joe, do you think we can meet?\r\n\r\n--b1\r\nContent-Type: message/rfc822\r\nContent-Description: inner one\r\n\r\nSubject: inner\r\nFrom: x@y.example\r\nContent-Type: multipart/alternative; boundary=b2\r\n\r\n--b2\r\n\r\nplain text\r\n--b2\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment; filename="a b.html"\r\nContent-Location: http://x.example/\r\nContent-ID: <id@x>\r\n\r\n<p>=C3=BC</p>\r\n--b2--\r\n\r\n--b1\r\nContent-Type: application/octet-stream\r\n\r\n--b1--\r\nepilogue\r\n
S: a1 OK [APPENDUID ...
C: a2 APPEND INBOX {77+}
C: Subject: plain\r\nX-A: 1\r\nX-B: 2\r\n  folded\r\nFrom: me@x.example\r\n\r\nHello!\r\nWorld
S: a2 OK [APPENDUID ...
C: a3 APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" {2+}
C: \r\n
S: a3 OK [APPENDUID ...
C: a4 APPEND INBOX {24+}
C: Subject: only a header\r\n
S: a4 OK [APPENDUID ...
C: b SELECT INBOX
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 4 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] ...
S: * OK [UIDVALIDITY 1001] ...
S: * OK [UIDNEXT 5] ...
S: b OK [READ-WRITE] Selected
C: c1 FETCH 1 ENVELOPE
S: * 1 FETCH (ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800 (PST)" "=?utf-8?Q?afternoon_meeting_=C3=BC?=" (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ((NIL NIL "mooch" "owatagu.example")(NIL NIL "The \"Group\"" NIL)(NIL NIL "a" "b.example")(NIL NIL "c" "")(NIL NIL NIL NIL)(NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL "<B27397-0100000@Blurdybloop.example>"))
S: c1 OK Fetched
C: c2 FETCH 1 BODY
S: * 1 FETCH (BODY (("TEXT" "PLAIN" ("charset" "US-ASCII") NIL NIL "7BIT" 38 1)("message" "rfc822" NIL NIL "inner one" "7BIT" 334 (NIL "inner" ((NIL NIL "x" "y.example")) ((NIL NIL "x" "y.example")) ((NIL NIL "x" "y.example")) NIL NIL NIL NIL NIL) (("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 10 0)("text" "html" ("charset" "utf-8") "<id@x>" NIL "quoted-printable" 13 0) "alternative") 16)("application" "octet-stream" NIL NIL NIL "7BIT" 0) "mixed"))
S: c2 OK Fetched
C: c3 FETCH 1 BODYSTRUCTURE
S: * 1 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" ("charset" "US-ASCII") NIL NIL "7BIT" 38 1 "Q2hlY2s=" NIL NIL NIL)("message" "rfc822" NIL NIL "inner one" "7BIT" 334 (NIL "inner" ((NIL NIL "x" "y.example")) ((NIL NIL "x" "y.example")) ((NIL NIL "x" "y.example")) NIL NIL NIL NIL NIL) (("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 10 0 NIL NIL NIL NIL)("text" "html" ("charset" "utf-8") "<id@x>" NIL "quoted-printable" 13 0 NIL ("attachment" ("filename" "a b.html")) NIL "http://x.example/") "alternative" ("boundary" "b2") NIL NIL NIL) 16 NIL NIL NIL NIL)("application" "octet-stream" NIL NIL NIL "7BIT" 0 NIL NIL NIL NIL) "mixed" ("boundary" "b1") NIL ("de" "en-GB") NIL))
S: c3 OK Fetched
C: c4 FETCH 1 (BODY.PEEK[2.HEADER] BODY.PEEK[2.1] BODY.PEEK[2.2.MIME] BODY.PEEK[2.TEXT]<0.4>)
S: * 1 FETCH (BODY[2.HEADER] {87}
S: Subject: inner
S: From: x@y.example
S: Content-Type: multipart/alternative; boundary=b2
S:
S:  BODY[2.1] {10}
S: plain text BODY[2.2.MIME] {198}
S: Content-Type: text/html; charset=utf-8
S: Content-Transfer-Encoding: quoted-printable
S: Content-Disposition: attachment; filename="a b.html"
S: Content-Location: http://x.example/
S: Content-ID: <id@x>
S:
S:  BODY[2.TEXT]<0> {4}
S: --b2)
S: c4 OK Fetched
C: c5 FETCH 1 (BODY.PEEK[2.HEADER.FIELDS (subject)] BODY.PEEK[2.HEADER.FIELDS.NOT (Subject From)] BODY.PEEK[1] BODY.PEEK[3])
S: * 1 FETCH (BODY[2.HEADER.FIELDS (SUBJECT)] {18}
S: Subject: inner
S:
S:  BODY[2.HEADER.FIELDS.NOT (SUBJECT FROM)] {52}
S: Content-Type: multipart/alternative; boundary=b2
S:
S:  BODY[1] {38}
S: Hello Joe, do you think we can meet?
S:  BODY[3] {0}
S: )
S: c5 OK Fetched
C: c6 FETCH 1 (BODY.PEEK[4] BODY.PEEK[1.1] BODY.PEEK[1.TEXT] BODY.PEEK[2.3] BODY.PEEK[2.2.1] BODY.PEEK[1.HEADER] BODY.PEEK[2.1.1])
S: * 1 FETCH (BODY[4] NIL BODY[1.1] NIL BODY[1.TEXT] NIL BODY[2.3] NIL BODY[2.2.1] NIL BODY[1.HEADER] NIL BODY[2.1.1] NIL)
S: c6 OK Fetched
C: c7 FETCH 2 (BODY.PEEK[HEADER.FIELDS (X-B x-none  "Subject")] RFC822.HEADER BODY.PEEK[TEXT] BODY.PEEK[1] RFC822.SIZE)
S: * 2 FETCH (BODY[HEADER.FIELDS (X-B X-NONE SUBJECT)] {36}
S: Subject: plain
S: X-B: 2
S:   folded
S:
S:  RFC822.HEADER {64}
S: Subject: plain
S: X-A: 1
S: X-B: 2
S:   folded
S: From: me@x.example
S:
S:  BODY[TEXT] {13}
S: Hello!
S: World BODY[1] {13}
S: Hello!
S: World RFC822.SIZE 77)
S: c7 OK Fetched
C: c8 FETCH 2 (BODY.PEEK[]<71.100> BODY.PEEK[]<77.5> BODY.PEEK[]<4294967295.1> BODY.PEEK[HEADER.FIELDS (X-A)]<2.3> BODY.PEEK[HEADER]<0.7>)
S: * 2 FETCH (BODY[]<71> {6}
S: ...orld BODY[]<77> {0}
S:  BODY[]<4294967295> {0}
S:  BODY[HEADER.FIELDS (X-A)]<2> {3}
S: A:  BODY[HEADER]<0> {7}
S: Subject)
S: c8 OK Fetched
C: c9 FETCH 2 FLAGS
S: * 2 FETCH (FLAGS ())
S: c9 OK Fetched
C: d1 FETCH 2 (UID BODY[HEADER.FIELDS ({7+}
C: Subject)])
S: * 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {18}
S: Subject: plain
S:
S:  FLAGS (\Seen))
S: d1 OK Fetched
C: d2 FETCH 2 BODY[TEXT]<0.5>
S: * 2 FETCH (BODY[TEXT]<0> {5}
S: Hello)
S: d2 OK Fetched
C: d3 UID FETCH 3 (RFC822 INTERNALDATE)
S: * 3 FETCH (UID 3 RFC822 {2}
S:
S:  INTERNALDATE "17-Jul-1996 09:44:25 +0000")
S: d3 OK Fetched
C: d4 FETCH 3:4 (RFC822.TEXT BODYSTRUCTURE)
S: * 3 FETCH (RFC822.TEXT {0}
S:  BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 0 0 NIL NIL NIL NIL))
S: * 4 FETCH (RFC822.TEXT {0}
S:  BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 0 0 NIL NIL NIL NIL) FLAGS (\Seen))
S: d4 OK Fetched
C: d5 FETCH 4 ALL
S: * 4 FETCH (FLAGS (\Seen) INTERNALDATE "14-Nov-2023 22:13:20 +0000" RFC822.SIZE 24 ENVELOPE (NIL "only a header" NIL NIL NIL NIL NIL NIL NIL NIL))
S: d5 OK Fetched
C: d6 fetch 4 fast
S: * 4 FETCH (FLAGS (\Seen) INTERNALDATE "14-Nov-2023 22:13:20 +0000" RFC822.SIZE 24)
S: d6 OK Fetched
C: d7 UID FETCH 4 FULL
S: * 4 FETCH (UID 4 FLAGS (\Seen) INTERNALDATE "14-Nov-2023 22:13:20 +0000" RFC822.SIZE 24 ENVELOPE (NIL "only a header" NIL NIL NIL NIL NIL NIL NIL NIL) BODY ("text" "plain" ("charset" "us-ascii") NIL NIL "7BIT" 0 0))
S: d7 OK Fetched
# What is no FETCH.
C: e1 FETCH 5 FLAGS
S: e1 BAD There is no message of that number
C: e2 FETCH 1
S: e2 BAD Expected FETCH set items
C: e3 FETCH 1 ()
S: e3 BAD Expected FETCH set items
C: e4 FETCH 1 (FLAGS
S: e4 BAD Expected FETCH set items
C: e5 FETCH 1 BODY[MIME]
S: e5 BAD Expected FETCH set items
C: e6 FETCH 1 BODY[0]
S: e6 BAD Expected FETCH set items
C: e7 FETCH 1 BODY[1.]
S: e7 BAD Expected FETCH set items
C: e8 FETCH 1 BODY[]<1.0>
S: e8 BAD Expected FETCH set items
C: e9 FETCH 1 BODY[HEADER.FIELDS ()]
S: e9 BAD Expected FETCH set items
C: f1 FETCH 1 BINARY[1]
S: f1 BAD Expected FETCH set items
C: f2 FETCH 1 (FULL)
S: f2 BAD Expected FETCH set items
C: f3 FETCH 1 FLAGS x
S: f3 BAD Expected FETCH set items
C: f4 FETCH 0 FLAGS
S: f4 BAD Expected FETCH set items
