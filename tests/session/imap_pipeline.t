# Many commands in one segment, literals in any argument, IDLE and DONE among them (RFC 3501 sections 4.3 and 5.5, RFC 7888).
S: * OK ...
C-: a1 LOGIN {1+}\r\nu {6+}\r\nsecret\r\na2 ID ({4+}\r\nname {1+}\r\nx)\r\na3 NAMESPACE\r\na4 CREATE {3+}\r\nf o\r\n
S: a1 OK [CAPABILITY ...] Logged in
S: * ID ("name" "Godwit")
S: a2 OK Pleased to meet you
S: * NAMESPACE (("" "/")) NIL NIL
S: a3 OK One namespace
S: a4 OK Created
C-: b1 LIST {0+}\r\n {3+}\r\nf%o RETURN (STATUS (MESSAGES))\r\nb2 SUBSCRIBE {3+}\r\nf o\r\nb3 STATUS {3+}\r\nf o (UIDNEXT)\r\nb4 RENAME {3+}\r\nf o {1+}\r\ng\r\n
S: * LIST (\HasNoChildren) "/" "f o"
S: * STATUS "f o" (MESSAGES 0)
S: b1 OK That is all
S: b2 OK Subscribed
S: * STATUS "f o" (UIDNEXT 1)
S: b3 OK That is its status
S: b4 OK Renamed
C-: c1 SELECT g\r\nc2 APPEND {1+}\r\ng {8+}\r\nA: b\r\n\r\n\r\nc3 APPEND g (\\Seen) {8+}\r\nA: c\r\n\r\n\r\nc4 UID STORE 1:* +FLAGS.SILENT ($a)\r\nc5 IDLE\r\nDONE\r\nc6 COPY 1 {5+}\r\nTrash\r\nc7 UID MOVE 2 {7+}\r\nArchive\r\nc8 SEARCH {1+}\r\nx\r\nc9 CLOSE\r\n
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 0 EXISTS
S: * 0 RECENT
S: * OK [UIDVALIDITY 1007] ...
S: * OK [UIDNEXT 1] ...
S: c1 OK [READ-WRITE] Selected
S: * 1 EXISTS
S: * 0 RECENT
S: c2 OK [APPENDUID 1007 1] Saved
S: * 2 EXISTS
S: * 0 RECENT
S: c3 OK [APPENDUID 1007 2] Saved
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $a)
S: c4 OK Changed
S: + Idling
S: c5 OK Idle done
S: c6 OK [COPYUID 1005 1 1] Copied
S: * OK [COPYUID 1006 2 1] Moved
S: * 2 EXPUNGE
S: c7 OK Moved
S: c8 BAD Expected SEARCH keys
S: c9 OK Closed
# Refused literals keep both sides in step: with "+" they are read and thrown away, without they are not sent.
C-: d1 STATUS {3+}\r\nabc\r\nd2 NOOP\r\n
S: d1 BAD Expected STATUS mailbox (items)
S: d2 OK Done
C: d3 APPEND nothere {8}
S: d3 NO [TRYCREATE] There is no such mailbox
C-: d4 APPEND nothere {8+}\r\nA: b\r\n\r\n\r\nd5 NOOP\r\n
S: d4 NO [TRYCREATE] There is no such mailbox
S: d5 OK Done
C-: d6 APPEND g (\\Bogus) {8+}\r\nA: b\r\n\r\n\r\nd7 NOOP\r\n
S: d6 BAD Expected APPEND ...
S: d7 OK Done
C-: d8 APPEND g "32-Jan-2020 00:00:00 +0000" {8+}\r\nA: b\r\n\r\n\r\nd9 FOO {4+}\r\n\r\n\r\n\r\ne1 NOOP\r\n
S: d8 BAD Expected APPEND ...
S: d9 BAD There is no such command
S: e1 OK Done
# Quoted strings: 8-bit text is taken in names when it is UTF-8; a quote and a backslash are escaped, nothing else is.
C: f1 CREATE "\xc3\xbc \\"x\\\\"
S: f1 OK Created
C: f2 LIST "" "&APw-*"
S: * LIST (\HasNoChildren) "/" "&APw- \"x\\"
S: f2 OK That is all
C: f3 CREATE "a\\nb"
S: f3 BAD Expected CREATE mailbox
C: f4 CREATE "\xff"
S: f4 BAD Expected CREATE mailbox
C: f5 CREATE "open
S: f5 BAD Expected CREATE mailbox
C: f6 SELECT {4+}
C: in\x0d\x0a
S: f6 BAD Expected a mailbox name
# Arguments that do not belong there; case does not matter.
C: g1 noop x
S: g1 BAD There is an argument too many
C: g2 Capability x
S: g2 BAD CAPABILITY takes no argument
C: g3 NAMESPACE x
S: g3 BAD NAMESPACE takes no argument
C: g4 ENABLE
S: g4 BAD Enable what?
C: g5 ENABLE X-A "b"
S: g5 BAD Enable what?
C: g6 ENABLE UTF8=ACCEPT CONDSTORE X-A
S: * ENABLED
S: g6 OK Nothing of that needs a switch
C: g7 ID
S: g7 BAD Expected ID ...
C: g8 ID ("a" "b") x
S: g8 BAD Expected ID ...
C: g9 ID x
S: g9 BAD Expected ID ...
C: h1 LOGOUT x
S: h1 BAD LOGOUT takes no argument
C: h2 STATUS g ()
S: h2 BAD Expected STATUS mailbox (items)
C-: h3 SELECT g\r\nh4 UNSELECT x\r\nh5 CLOSE x\r\nh6 CHECK x\r\nh7 CHECK\r\nh8 UNSELECT\r\nh9 UNSELECT\r\n
S: * FLAGS ...
S: * OK [PERMANENTFLAGS ...
S: * 1 EXISTS
S: * 0 RECENT
S: * OK [UNSEEN 1] ...
S: * OK [UIDVALIDITY 1007] ...
S: * OK [UIDNEXT 3] ...
S: h3 OK [READ-WRITE] Selected
S: h4 BAD UNSELECT takes no argument
S: h5 BAD CLOSE takes no argument
S: h6 BAD There is an argument too many
S: h7 OK Done
S: h8 OK Left the mailbox as it is
S: h9 BAD Select a mailbox first
C-: i1 LOGOUT\r\ni2 NOOP\r\n
S: * BYE Good bye
S: i1 OK Logged out
S-end
