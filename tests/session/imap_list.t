# LIST with its extensions: patterns, references, INBOX, CHILDINFO, STATUS (RFC 3501, 3348, 5258, 5819, 6154).
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: l1 DELETE Archive
S: l1 OK Deleted
C: l2 DELETE Drafts
S: l2 OK Deleted
C: l3 DELETE Junk
S: l3 OK Deleted
C: l4 DELETE Sent
S: l4 OK Deleted
C: l5 DELETE Trash
S: l5 OK Deleted
C: l6 UNSUBSCRIBE Archive
S: l6 OK Unsubscribed
C: l7 UNSUBSCRIBE Drafts
S: l7 OK Unsubscribed
C: l8 UNSUBSCRIBE Junk
S: l8 OK Unsubscribed
C: l9 UNSUBSCRIBE Sent
S: l9 OK Unsubscribed
C: l10 UNSUBSCRIBE Trash
S: l10 OK Unsubscribed
C: l11 CREATE foo2/bar1
S: l11 OK Created
C: l12 CREATE foo2/bar2
S: l12 OK Created
C: l13 CREATE baz2/bar2
S: l13 OK Created
C: l14 CREATE baz2/bar22
S: l14 OK Created
C: l15 CREATE eps2/mamba
S: l15 OK Created
C: l16 CREATE INBOX/sub/deep
S: l16 OK Created
C: l17 CREATE foo2-x
S: l17 OK Created
C: l18 SUBSCRIBE foo2/bar1
S: l18 OK Subscribed
C: l19 SUBSCRIBE foo2/bar2
S: l19 OK Subscribed
C: l20 SUBSCRIBE baz2/bar2
S: l20 OK Subscribed
C: l21 SUBSCRIBE baz2/bar22
S: l21 OK Subscribed
C: l22 SUBSCRIBE eps2
S: l22 OK Subscribed
C: l23 SUBSCRIBE eps2/mamba
S: l23 OK Subscribed
C: l24 LIST "" *
S: * LIST (\HasChildren) "/" INBOX
S: * LIST (\HasChildren) "/" INBOX/sub
S: * LIST (\HasNoChildren) "/" INBOX/sub/deep
S: * LIST (\HasChildren) "/" baz2
S: * LIST (\HasNoChildren) "/" baz2/bar2
S: * LIST (\HasNoChildren) "/" baz2/bar22
S: * LIST (\HasChildren) "/" eps2
S: * LIST (\HasNoChildren) "/" eps2/mamba
S: * LIST (\HasChildren) "/" foo2
S: * LIST (\HasNoChildren) "/" foo2-x
S: * LIST (\HasNoChildren) "/" foo2/bar1
S: * LIST (\HasNoChildren) "/" foo2/bar2
S: l24 OK That is all
C: l25 LIST "" %
S: * LIST (\HasChildren) "/" INBOX
S: * LIST (\HasChildren) "/" baz2
S: * LIST (\HasChildren) "/" eps2
S: * LIST (\HasChildren) "/" foo2
S: * LIST (\HasNoChildren) "/" foo2-x
S: l25 OK That is all
C: l26 LIST "" iNb%
S: * LIST (\HasChildren) "/" INBOX
S: l26 OK That is all
C: l27 LIST "" inbox/*
S: * LIST (\HasChildren) "/" INBOX/sub
S: * LIST (\HasNoChildren) "/" INBOX/sub/deep
S: l27 OK That is all
C: l28 LIST inbox/ %
S: * LIST (\HasChildren) "/" INBOX/sub
S: l28 OK That is all
C: l29 LIST "" "Inbox/%/%"
S: * LIST (\HasNoChildren) "/" INBOX/sub/deep
S: l29 OK That is all
C: l30 LIST "foo2" "/b%1"
S: * LIST (\HasNoChildren) "/" foo2/bar1
S: l30 OK That is all
C: l31 LIST "" *bar2
S: * LIST (\HasNoChildren) "/" baz2/bar2
S: * LIST (\HasNoChildren) "/" foo2/bar2
S: l31 OK That is all
C: l32 LIST "" FOO2
S: l32 OK That is all
C: l33 LIST "" foo2/
S: l33 OK That is all
C: l34 LIST "" {4}
S: + OK
C: foo2
S: * LIST (\HasChildren) "/" foo2
S: l34 OK That is all
C: l35 LIST foo2/ ""
S: * LIST (\Noselect) "/" ""
S: l35 OK Levels are separated by a slash
C: l36 LIST "" ("foo2" "foo2/%")
S: * LIST (\HasChildren) "/" foo2
S: * LIST (\HasNoChildren) "/" foo2/bar1
S: * LIST (\HasNoChildren) "/" foo2/bar2
S: l36 OK That is all
C: l37 LIST (RECURSIVEMATCH SUBSCRIBED) "" *2
S: * LIST (\HasNoChildren \Subscribed) "/" baz2/bar2
S: * LIST (\HasNoChildren \Subscribed) "/" baz2/bar22
S: * LIST (\HasChildren \Subscribed) "/" eps2 ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasChildren) "/" foo2 ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasNoChildren \Subscribed) "/" foo2/bar2
S: l37 OK That is all
C: l38 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (STATUS (MESSAGES))
S: * LIST (\HasChildren \Subscribed) "/" INBOX
S: * STATUS INBOX (MESSAGES 0)
S: * LIST (\HasChildren) "/" baz2 ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\HasChildren \Subscribed) "/" eps2 ("CHILDINFO" ("SUBSCRIBED"))
S: * STATUS eps2 (MESSAGES 0)
S: * LIST (\HasChildren) "/" foo2 ("CHILDINFO" ("SUBSCRIBED"))
S: l38 OK That is all
C: l39 LIST (REMOTE RECURSIVEMATCH) "" %
S: l39 BAD ...
C: l40 LIST () "" foo2
S: * LIST (\HasChildren) "/" foo2
S: l40 OK That is all
C: l41 LIST (REMOTE SUBSCRIBED) "" foo2/bar1
S: * LIST (\HasNoChildren \Subscribed) "/" foo2/bar1
S: l41 OK That is all
C: l42 LIST "" foo2* RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)
S: * LIST (\HasChildren) "/" foo2
S: * LIST (\HasNoChildren) "/" foo2-x
S: * LIST (\HasNoChildren \Subscribed) "/" foo2/bar1
S: * LIST (\HasNoChildren \Subscribed) "/" foo2/bar2
S: l42 OK That is all
C: l43 CREATE Mail/Sent (USE (\\Sent))
S: l43 OK Created
C: l44 LIST (SPECIAL-USE) "" *
S: * LIST (\HasNoChildren \Sent) "/" Mail/Sent
S: l44 OK That is all
C: l45 LIST (SPECIAL-USE RECURSIVEMATCH) "" %
S: * LIST (\HasChildren) "/" Mail ("CHILDINFO" ("SPECIAL-USE"))
S: l45 OK That is all
C: l46 LIST (SPECIAL-USE SUBSCRIBED) "" *
S: l46 OK That is all
C: l47 SUBSCRIBE Mail/Sent
S: l47 OK Subscribed
C: l48 LIST (SPECIAL-USE SUBSCRIBED RECURSIVEMATCH) "" %
S: * LIST (\HasChildren) "/" Mail ("CHILDINFO" ("SUBSCRIBED" "SPECIAL-USE"))
S: l48 OK That is all
C: l49 LIST "" "" RETURN (CHILDREN)
S: l49 OK That is all
C: l50 LIST "" foo2 RETURN ()
S: * LIST (\HasChildren) "/" foo2
S: l50 OK That is all
C: l51 LIST "" foo2 RETURN (STATUS ())
S: l51 BAD ...
C: l52 LIST "" foo2 RETURN (STATUS)
S: l52 BAD ...
C: l53 LIST "" foo2 RETURN CHILDREN
S: l53 BAD ...
C: l54 LIST ""
S: l54 BAD ...
C: l55 LIST "" (foo2
S: l55 BAD ...
C: l56 LIST "" foo2 more
S: l56 BAD ...
C: l57 LSUB "" "foo2/%"
S: * LSUB (\HasNoChildren) "/" foo2/bar1
S: * LSUB (\HasNoChildren) "/" foo2/bar2
S: l57 OK That is all
C: l58 LSUB "" %
S: * LSUB (\HasChildren) "/" INBOX
S: * LSUB (\HasChildren) "/" eps2
S: * LSUB (\Noselect \HasChildren) "/" Mail
S: * LSUB (\Noselect \HasChildren) "/" baz2
S: * LSUB (\Noselect \HasChildren) "/" foo2
S: l58 OK That is all
C: l59 CREATE "a*b%c"
S: l59 OK Created
C: l60 CREATE "R&-D"
S: l60 OK Created
C: l61 CREATE "&ZeVnLIqe-/&U,BTFw-"
S: l61 OK Created
C: l62 LIST "" "a**"
S: * LIST (\HasNoChildren) "/" "a*b%c"
S: l62 OK That is all
C: l63 LIST "" "R&-*"
S: * LIST (\HasNoChildren) "/" "R&-D"
S: l63 OK That is all
C: l64 LIST "" "&ZeVnLIqe-/%"
S: * LIST (\HasNoChildren) "/" "&ZeVnLIqe-/&U,BTFw-"
S: l64 OK That is all
C: l65 STATUS "&ZeVnLIqe-" ()
S: l65 BAD ...
C: l66 STATUS "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" (MESSAGES)
S: * STATUS "&ZeVnLIqe-" (MESSAGES 0)
S: l66 OK That is its status
F: deliver INBOX
F: deliver INBOX 8
C: l67 RENAME inbox old
S: l67 OK Renamed
C: l68 LIST "" (INBOX old) RETURN (STATUS (MESSAGES UNSEEN))
S: * LIST (\HasChildren) "/" INBOX
S: * STATUS INBOX (MESSAGES 0 UNSEEN 0)
S: * LIST (\HasNoChildren) "/" old
S: * STATUS old (MESSAGES 2 UNSEEN 1)
S: l68 OK That is all
C: l69 RENAME INBOX old
S: l69 NO [ALREADYEXISTS] ...
