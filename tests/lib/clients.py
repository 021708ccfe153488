"""clients.py - what several tests ask of mail clients: letters to read, and a configuration for mbsync.

SPDX-License-Identifier: Apache-2.0
"""
import smtplib


def send(server, user, count, prefix='mail'):
    """Messages "PREFIX 0", "PREFIX 1" ... from a stranger."""
    with smtplib.SMTP('127.0.0.1', server.ports['smtp']) as s:
        for i in range(count):
            s.sendmail('a@b.example', [user], f'From: a@b.example\r\nTo: {user}\r\nSubject: {prefix} {i}\r\n'
                                              f'Message-ID: <{prefix}{i}.{user}>\r\n\r\nbody {i}\r\n')


def mbsync(server, user, folder, tls):
    """(the command, the folder of the Maildirs): channel c keeps both sides alike.  tls: IMAPS or STARTTLS."""
    rc, box = folder / 'mbsyncrc', folder / 'mail'
    box.mkdir()
    rc.write_text(f'''IMAPAccount t
Host localhost
Port {server.ports["imaps" if tls == "IMAPS" else "imap"]}
User {user}
Pass secret
SSLType {tls}
CertificateFile {server.cert}

IMAPStore far
Account t

MaildirStore near
Path {box}/
Inbox {box}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
''')
    return ['mbsync', '-c', str(rc), 'c'], box
