#!/usr/bin/env python3
"""demo_mail.py - one mail through the two servers of tools/demo.sh and back, with Python's own clients.

    demo_mail.py free-ports              prints a base whose ports, and those 1000 above, are free
    demo_mail.py round-trip DIR BASE     Ben writes to Anna, she reads it by IMAP and replies, he reads by POP3

SPDX-License-Identifier: Apache-2.0
"""
import email
import imaplib
import poplib
import random
import smtplib
import socket
import ssl
import sys
import time
from email.message import EmailMessage

PORTS = (25, 110, 143, 465, 587, 993, 995)
ANNA, BEN = "anna@demo.example", "ben@world.example"
WAIT_S = 120


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_base():
    for _ in range(200):
        base = random.randrange(11, 30) * 1000 + random.randrange(0, 4)
        if all(is_free(base + p) and is_free(base + 1000 + p) for p in PORTS):
            return base
    sys.exit("demo: no free ports")


def trust(folder):
    return ssl.create_default_context(cafile=f"{folder}/cert.pem")


def password(folder):
    with open(f"{folder}/password", encoding="ascii") as f:
        return f.readline().strip()


def submit(folder, port, sender, message):
    with smtplib.SMTP("localhost", port, timeout=WAIT_S) as s:
        s.starttls(context=trust(folder))
        s.login(sender, password(folder))
        s.send_message(message)


def letter(sender, to, subject, text, answers=None):
    m = EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, to, subject
    if answers:
        m["In-Reply-To"] = m["References"] = answers
    m.set_content(text)
    return m


def until(what, look):
    """Asks again until look() has an answer."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)
    sys.exit(f"demo: {what} did not happen within {WAIT_S} s")


def by_imap(folder, port, user, subject):
    with imaplib.IMAP4_SSL("localhost", port, ssl_context=trust(folder), timeout=WAIT_S) as c:
        c.login(user, password(folder))
        c.select("INBOX")
        ids = c.search(None, "SUBJECT", f'"{subject}"')[1][0].split()
        if not ids:
            return None
        return email.message_from_bytes(c.fetch(ids[-1], "(BODY[])")[1][0][1])


def by_pop3(folder, port, user, subject):
    c = poplib.POP3_SSL("localhost", port, context=trust(folder), timeout=WAIT_S)
    try:
        c.user(user)
        c.pass_(password(folder))
        for n in range(c.stat()[0], 0, -1):
            m = email.message_from_bytes(b"\r\n".join(c.retr(n)[1]))
            if m["Subject"] == subject:
                return m
        return None
    finally:
        c.quit()


def round_trip(folder, base):
    anna, ben = f"{folder}/demo", f"{folder}/world"
    subject = f"Are you there {random.randrange(10**9)}"

    submit(ben, base + 1587, BEN, letter(BEN, ANNA, subject, "Please answer.\n"))
    print(f"ok  {BEN} submitted \"{subject}\" to mail.world.example")
    got = until("the mail's arrival", lambda: by_imap(anna, base + 993, ANNA, subject))
    assert "Please answer." in got.get_payload(), got.as_string()
    print(f"ok  {ANNA} read it by IMAP over TLS at mail.demo.example")
    submit(anna, base + 587, ANNA,
           letter(ANNA, BEN, f"Re: {subject}", "Yes, I am.\n", got["Message-ID"]))
    print(f"ok  {ANNA} submitted a reply to mail.demo.example")
    back = until("the reply's arrival",
                 lambda: by_pop3(ben, base + 1995, BEN, f"Re: {subject}"))
    assert "Yes, I am." in back.get_payload(), back.as_string()
    assert back["In-Reply-To"] == got["Message-ID"], back.as_string()
    assert back["DKIM-Signature"], "the reply is not signed"
    print(f"ok  {BEN} read the reply by POP3 over TLS at mail.world.example; it is DKIM-signed")


def main():
    if sys.argv[1:] == ["free-ports"]:
        print(free_base())
    elif len(sys.argv) == 4 and sys.argv[1] == "round-trip":
        round_trip(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(__doc__)


main()
