# CREATE, DELETE, RENAME, subscriptions, LIST and its dialects, STATUS.
S: * OK ...
C: a LOGIN u secret
S: a OK ...
C: a0 LIST "" ""
S: * LIST (\Noselect) "/" ""
S: a0 OK ...
C: a1 LIST "" *
S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasNoChildren \Archive) "/" Archive
S: * LIST (\HasNoChildren \Drafts) "/" Drafts
S: * LIST (\HasNoChildren \Junk) "/" Junk
S: * LIST (\HasNoChildren \Sent) "/" Sent
S: * LIST (\HasNoChildren \Trash) "/" Trash
S: a1 OK That is all
C: a2 CREATE work/2026/
S: a2 OK Created
C: a3 CREATE work
S: a3 NO [ALREADYEXISTS] ...
C: a4 list "" "work%"
S: * LIST (\HasChildren) "/" work
S: a4 OK ...
C: a5 LIST work/ %
S: * LIST (\HasNoChildren) "/" work/2026
S: a5 OK ...
C: a6 CREATE {7}
S: + OK
C: Mail Mx y
S: a6 BAD Expected CREATE mailbox ...
C: a6 CREATE {6+}
C: Mail M
S: a6 OK Created
C: a7 CREATE "Entw&APw-rfe"
S: a7 OK Created
C: a8 LIST "" (Mail* "Entw*")
S: * LIST (\HasNoChildren) "/" "Entw&APw-rfe"
S: * LIST (\HasNoChildren) "/" "Mail M"
S: a8 OK ...
C: a9 CREATE Kept (USE (\\Sent))
S: a9 OK Created
C: a10 CREATE Other (USE (\\Important))
S: a10 NO [USEATTR] ...
C: a11 CREATE inbox
S: a11 NO [ALREADYEXISTS] ...
C: a12 DELETE work
S: a12 OK Deleted
C: a13 LIST "" work
S: * LIST (\Noselect \HasChildren) "/" work
S: a13 OK ...
C: a14 DELETE work
S: a14 NO [HASCHILDREN] ...
C: a15 SELECT work
S: a15 NO [CANNOT] ...
C: a16 STATUS work (MESSAGES)
S: a16 NO [CANNOT] ...
C: a17 DELETE INBOX
S: a17 NO [CANNOT] ...
C: a18 DELETE nothere
S: a18 NO [NONEXISTENT] ...
C: a19 RENAME work life
S: a19 OK Renamed
C: a20 LIST "" life*
S: * LIST (\Noselect \HasChildren) "/" life
S: * LIST (\HasNoChildren) "/" life/2026
S: a20 OK ...
C: a21 RENAME life life/in/life
S: a21 NO [CANNOT] ...
C: a22 RENAME life Sent
S: a22 NO [ALREADYEXISTS] ...
C: a23 RENAME gone away
S: a23 NO [NONEXISTENT] ...
C: a24 LSUB "" *
S: * LSUB (\HasNoChildren) "/" INBOX
S: * LSUB (\HasNoChildren \Archive) "/" Archive
S: * LSUB (\HasNoChildren \Drafts) "/" Drafts
S: * LSUB (\HasNoChildren \Junk) "/" Junk
S: * LSUB (\HasNoChildren \Sent) "/" Sent
S: * LSUB (\HasNoChildren \Trash) "/" Trash
S: a24 OK ...
C: a25 SUBSCRIBE life/2026
S: a25 OK Subscribed
C: a26 UNSUBSCRIBE Junk
S: a26 OK Unsubscribed
C: a27 SUBSCRIBE nothere
S: a27 NO [NONEXISTENT] ...
C: a28 LSUB "" %
S: * LSUB (\HasNoChildren) "/" INBOX
S: * LSUB (\HasNoChildren \Archive) "/" Archive
S: * LSUB (\HasNoChildren \Drafts) "/" Drafts
S: * LSUB (\HasNoChildren \Sent) "/" Sent
S: * LSUB (\HasNoChildren \Trash) "/" Trash
S: * LSUB (\Noselect \HasChildren) "/" life
S: a28 OK ...
C: a29 XLIST "" "%"
S: * XLIST (\HasNoChildren \Inbox) "/" INBOX
S: * XLIST (\HasNoChildren \Archive) "/" Archive
S: * XLIST (\HasNoChildren \Drafts) "/" Drafts
S: * XLIST (\HasNoChildren) "/" "Entw&APw-rfe"
S: * XLIST (\HasNoChildren \Junk) "/" Junk
S: * XLIST (\HasNoChildren \Sent) "/" Kept
S: * XLIST (\HasNoChildren) "/" "Mail M"
S: * XLIST (\HasNoChildren \Sent) "/" Sent
S: * XLIST (\HasNoChildren \Trash) "/" Trash
S: * XLIST (\Noselect \HasChildren) "/" life
S: a29 OK ...
C: a30 LIST (SUBSCRIBED) "" l* RETURN (CHILDREN)
S: * LIST (\HasNoChildren \Subscribed) "/" life/2026
S: a30 OK ...
C: a31 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (SUBSCRIBED)
S: * LIST (\HasNoChildren \Subscribed) "/" INBOX
S: * LIST (\HasNoChildren \Subscribed \Archive) "/" Archive
S: * LIST (\HasNoChildren \Subscribed \Drafts) "/" Drafts
S: * LIST (\HasNoChildren \Subscribed \Sent) "/" Sent
S: * LIST (\HasNoChildren \Subscribed \Trash) "/" Trash
S: * LIST (\Noselect \HasChildren) "/" life ("CHILDINFO" ("SUBSCRIBED"))
S: a31 OK ...
C: a32 LIST (RECURSIVEMATCH) "" %
S: a32 BAD ...
C: a33 LIST (SPECIAL-USE) "" *
S: * LIST (\HasNoChildren \Archive) "/" Archive
S: * LIST (\HasNoChildren \Drafts) "/" Drafts
S: * LIST (\HasNoChildren \Junk) "/" Junk
S: * LIST (\HasNoChildren \Sent) "/" Kept
S: * LIST (\HasNoChildren \Sent) "/" Sent
S: * LIST (\HasNoChildren \Trash) "/" Trash
S: a33 OK ...
F: deliver INBOX
F: deliver INBOX 8
C: a34 LIST "" (INBOX life) RETURN (STATUS (MESSAGES UNSEEN RECENT))
S: * LIST (\HasNoChildren) "/" INBOX
S: * STATUS INBOX (MESSAGES 2 RECENT 0 UNSEEN 1)
S: * LIST (\Noselect \HasChildren) "/" life
S: a34 OK ...
C: a35 STATUS inbox (uidnext MESSAGES UIDVALIDITY UNSEEN SIZE DELETED)
S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1001 UNSEEN 1 SIZE 60 DELETED 0)
S: a35 OK ...
C: a36 STATUS INBOX (FROBS)
S: a36 BAD ...
C: a37 STATUS nothere (MESSAGES)
S: a37 NO [NONEXISTENT] ...
C: a38 LIST "" inbox
S: * LIST (\HasNoChildren) "/" INBOX
S: a38 OK ...
C: a39 CREATE inBOX/below
S: a39 OK Created
C: a40 LIST "" "INBOX/%"
S: * LIST (\HasNoChildren) "/" INBOX/below
S: a40 OK ...
C: a41 LIST (FOO) "" *
S: a41 BAD ...
C: a42 LIST "" * RETURN (FOO)
S: a42 BAD ...
C: a43 DELETE "Entw&APw-rfe"
S: a43 OK Deleted
F: fail mailbox_create 2
C: a44 CREATE more
S: a44 NO [LIMIT] ...
F: fail mailboxes 7
C: a45 LIST "" *
S: a45 NO [UNAVAILABLE] ...
