"""report.py - reads a delivery report, and holds it against RFC 3462, 3464 and 3834.

SPDX-License-Identifier: Apache-2.0
"""
import email
import email.policy
import email.utils
import re


def _fields(block):
    """The fields of one group of message/delivery-status; none may be there twice (RFC 3464 sections 2.2, 2.3)."""
    names = [name.lower() for name in block.keys()]
    assert len(names) == len(set(names)), names
    return {name.lower(): value for name, value in block.items()}


def _typed(value):
    """type ";" text, as in "dns; mail.example.org"."""
    kind, _, text = value.partition(';')
    assert text, value
    return kind.strip().lower(), text.strip()


def parse_report(raw, reporter):
    """Checks the form of the report that server `reporter` made; returns (message, recipients' fields, original)."""
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    assert message.get_content_type() == 'multipart/report' and message.get_param('report-type') == 'delivery-status'
    assert message['Return-Path'] == '<>'
    assert message['Auto-Submitted'] == 'auto-replied'
    for name in ('From', 'To', 'Date', 'Message-ID', 'MIME-Version', 'Subject'):
        assert len(message.get_all(name, [])) == 1, name
    assert not message.defects
    parts = message.get_payload()
    assert len(parts) == 3
    text, status, original = parts
    assert text.get_content_type() == 'text/plain'
    assert status.get_content_type() == 'message/delivery-status'
    assert original.get_content_type() in ('message/rfc822', 'text/rfc822-headers')
    groups = [_fields(block) for block in status.get_payload()]
    whole, rcpts = groups[0], [g for g in groups[1:] if g]
    assert _typed(whole['reporting-mta']) == ('dns', reporter)
    assert email.utils.parsedate_to_datetime(whole['arrival-date'])
    assert rcpts
    for r in rcpts:
        assert _typed(r['final-recipient'])[0] == 'rfc822'
        assert r['action'] in ('failed', 'delayed', 'delivered', 'relayed', 'expanded')
        digit = {'failed': '5', 'delayed': '4'}.get(r['action'], '2')
        assert re.fullmatch(digit + r'\.\d{1,3}\.\d{1,3}', r['status']), r
        if 'diagnostic-code' in r:
            kind, words = _typed(r['diagnostic-code'])
            assert kind == ('smtp' if re.match(r'[245]\d\d ', words) else 'x-godwit'), r
        if 'remote-mta' in r:
            assert _typed(r['remote-mta'])[0] == 'dns'
        assert _typed(r['final-recipient'])[1] in text.get_payload(decode=True).decode()
    return message, rcpts, original
