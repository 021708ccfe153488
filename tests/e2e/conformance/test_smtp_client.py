"""What Godwit's client does with whatever another server says, at every step (RFC 5321 sections 4.2, 4.3 and 4.5), and what it
says itself: extensions that were offered and no others, whole lines, dots doubled.

One server, and a scripted peer for each row; all messages go out together.  Its time limits (section 4.5.3.2) are
no settings, and not tried here.

SPDX-License-Identifier: Apache-2.0
"""
import re
import smtplib
import ssl

import pytest
from godwit import Server, wait_for
from scripted import CLOSE, Script, Scripted

TLS = ssl._create_unverified_context()
PIPED = ('PIPELINING', '8BITMIME')
PLAIN = ('8BITMIME',)
CHUNKED = ('PIPELINING', '8BITMIME', 'CHUNKING')
TLS_OFFERED = ('PIPELINING', '8BITMIME', 'STARTTLS', 'SIZE 10')  # a SIZE that must be forgotten
LONG = '250 ' + 'x' * 6000
TEXT = 'Subject: x\r\n\r\n.\r\n..\r\n.x\r\n\r\nend.\r\n'
STEPS = {PLAIN: ('MAIL', 'RCPT', 'DATA', 'body'), PIPED: ('MAIL', 'RCPT', 'DATA', 'body'), CHUNKED: ('MAIL', 'RCPT', 'BDAT')}


class Row:
    def __init__(self, name, want, offers=PIPED, route='', **say):
        self.name, self.want, self.route = name, want, route
        self.script = Script({k: list(v) if isinstance(v, list) else [v] for k, v in say.items()}, offers,
                             tls_offers=('PIPELINING', '8BITMIME'))
        self.sender, self.options, self.rcpt_options, self.text = None, [], [], TEXT
        self.rcpts = ['x']

    def asking(self, options=(), rcpt_options=(), text=None, rcpts=None):
        self.options, self.rcpt_options = list(options), list(rcpt_options)
        self.text, self.rcpts = text or self.text, rcpts or self.rcpts
        return self


def refusals():
    """Every class of reply at every step of a message.  What is wanted: the state, and the code that is remembered."""
    for offers, steps in STEPS.items():
        for step in steps:
            wrong = {'MAIL': '354 go', 'RCPT': '354 go', 'DATA': '250 2.0.0 ok', 'body': '354 go on', 'BDAT': '354 go on'}[step]
            name = f'{step}-{"chunked" if "CHUNKING" in offers else "piped" if "PIPELINING" in offers else "plain"}'
            for what, said, state, code in [
                    ('later', '451 4.3.2 later', 'later', 451), ('never', '550 5.7.1 never', 'failed', 550),
                    ('closing', [['421 4.3.2 closing', CLOSE]], 'later', 421), ('wrong-class', wrong, 'later', int(wrong[:3])),
                    ('many-lines', '\n'.join(['550-5.7.1 no'] * 99 + ['550 5.7.1 never']), 'failed', 550),
                    ('too-many-lines', '\n'.join(['250-more'] * 101 + ['250 end']), 'later', 0),
                    ('too-long', LONG, 'later', 0), ('preliminary', '150 wait', 'later', 0), ('no-code', '650 what', 'later', 0),
                    ('two-codes', '250-one\n550 two', 'later', 0), ('garbage', b'\0\xff\r\n', 'later', 0),
                    ('http', 'HTTP/1.1 400 Bad Request', 'later', 0), ('bare-lf', b'250 ok\n', 'later', 0),
                    ('cut-off', [[b'25', CLOSE]], 'later', 0), ('gone', CLOSE, 'later', 0)]:
                yield Row(f'{name}-{what}', (state, code), offers, **{step: said})


def openings():
    """Greeting, EHLO and HELO."""
    for step in ('greeting', 'EHLO'):
        for what, said, code in [
                ('later', '451 4.3.2 later', 451), ('closing', [['421 4.3.2 closing', CLOSE]], 421), ('too-long', LONG, 0),
                ('too-many-lines', '\n'.join(['250-more'] * 101 + ['250 end']), 0), ('garbage', b'\xff\0\r\n', 0),
                ('cut-off', [[b'2', CLOSE]], 0), ('gone', CLOSE, 0), ('wrong-class', '354 go', 354)]:
            yield Row(f'{step}-{what}', ('later', code), **{step: said})
    yield Row('greeting-never', ('later', 554), greeting='554 5.7.1 no mail here')  # of this host: another one may
    yield Row('greeting-other-good', ('later', 250), greeting='250 hello')
    yield Row('greeting-many-lines', ('delivered', 250), greeting='220-welcome\n220-to\n220 peer ESMTP')
    yield Row('greeting-without-esmtp', ('delivered', 250), greeting='220 peer')
    for code in (500, 501, 502, 504, 550):
        yield Row(f'HELO-after-{code}', ('delivered', 250), EHLO=f'{code} what?')
    yield Row('HELO-never', ('later', 550), EHLO='500 what?', HELO='550 5.7.1 never')
    yield Row('HELO-later', ('later', 450), EHLO='500 what?', HELO='450 later')
    yield Row('HELO-offers-nothing', ('delivered', 250), EHLO='500 what?', HELO='250-peer\n250-PIPELINING\n250 SIZE 5')


def encrypted():
    """STARTTLS: opportunistic as a rule, so that a server whose TLS is broken has its mail in clear; never where a route asks
    for it."""
    for what, said in [('refused', '454 4.7.0 not now'), ('unknown', '502 5.5.1 what?'), ('gone', [[None, CLOSE]]),
                       ('no-tls', [[None, b'250 in clear\r\n', CLOSE]]), ('injected', b'220 go\r\n250 injected\r\n')]:
        yield Row(f'tls-{what}', ('delivered', 250), ('PIPELINING', '8BITMIME', 'STARTTLS'), STARTTLS=said)
        yield Row(f'tls-{what}-required', ('later', None), TLS_OFFERED, ' tls', STARTTLS=said)
    yield Row('tls', ('delivered', 250), TLS_OFFERED)
    yield Row('tls-required', ('delivered', 250), TLS_OFFERED, ' tls')
    yield Row('tls-required-not-offered', ('later', 0), PIPED, ' tls')
    yield Row('tls-never', ('delivered', 250), ('PIPELINING', '8BITMIME', 'STARTTLS'), ' tls-never')
    yield Row('tls-closing', ('later', 421), TLS_OFFERED, STARTTLS=[['421 4.3.2 closing', CLOSE]])


def asked():
    """What the sender asked is said to whom offers it, and to nobody else."""
    eight = 'Subject: x\r\n\r\ngr\xfc\xdfe\r\n'
    options = {'dsn': (['RET=FULL', 'ENVID=e1'], ['NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;o@example.com'], TEXT, 'DSN'),
               'by': (['BY=600;N'], [], TEXT, 'DELIVERBY'), 'priority': (['MT-PRIORITY=3'], [], TEXT, 'MT-PRIORITY')}
    for name, (mail, rcpt, text, word) in options.items():
        yield Row(f'{name}-offered', ('delivered', 250), (*PIPED, word)).asking(mail, rcpt, text)
        yield Row(f'{name}-not-offered', ('delivered', 250)).asking(mail, rcpt, text)
    yield Row('8bit-offered', ('delivered', 250)).asking(['BODY=8BITMIME'], text=eight)
    yield Row('8bit-not-offered', ('failed', 0), ('PIPELINING',)).asking(['BODY=8BITMIME'], text=eight)
    yield Row('7bit', ('delivered', 250)).asking(['BODY=8BITMIME'])
    yield Row('utf8-offered', ('delivered', 250), (*PIPED, 'SMTPUTF8')).asking(['SMTPUTF8'], rcpts=['\xfc'])
    yield Row('utf8-not-offered', ('failed', 0)).asking(['SMTPUTF8'], rcpts=['\xfc'])
    yield Row('utf8-not-needed', ('delivered', 250)).asking(['SMTPUTF8'])
    for size, state in [('SIZE 1000000', 'delivered'), ('SIZE', 'delivered'), ('SIZE 0', 'delivered'), ('SIZE 300', 'failed')]:
        yield Row(size.replace(' ', '-').lower(), (state, 250 if state == 'delivered' else 0), (*PIPED, size))
    yield Row('lower-case', ('delivered', 250), ('pipelining', '8bitmime', 'size 1000000', 'smtputf8')).asking(['SMTPUTF8'], rcpts=['\xfc'])
    yield Row('odd-offers', ('delivered', 250), ('X-PIPELINING', 'SIZEX', '8BITMIMEX', 'DSN-X', 'SMTPUTF8X', 'CHUNKINGX', 'STARTTLSX'))


def texts():
    """Bodies in every way, and several recipients."""
    long = 'Subject: x\r\n\r\n' + 'y' * 5000 + '\r\n.' + 'z' * 998 + '\r\n'
    for way, offers in (('plain', PLAIN), ('piped', PIPED), ('chunked', CHUNKED)):
        yield Row(f'text-{way}', ('delivered', 250), offers)
        yield Row(f'long-lines-{way}', ('delivered', 250), offers).asking(text=long)
        yield Row(f'large-{way}', ('delivered', 250), offers).asking(text='Subject: x\r\n\r\n' + ('.' * 70 + '\r\n') * 20000)
        yield Row(f'no-body-{way}', ('delivered', 250), offers).asking(text='Subject: x\r\n')
        yield Row(f'nobody-{way}', ('failed', 550), offers, RCPT=['550 5.1.1 no'] * 3).asking(rcpts=['x', 'y', 'z'])
        yield Row(f'some-{way}', ('failed', 550), offers, RCPT=['550 5.1.1 no', None, '450 4.2.1 later']).asking(rcpts=['x', 'y', 'z'])
        yield Row(f'other-good-{way}', ('delivered', 250), offers, RCPT='251 2.1.5 forwarded', MAIL='251 2.1.0 ok')
    yield Row('chunk-refused', ('failed', 552), CHUNKED, more='552 5.3.4 too large').asking(text='Subject: x\r\n\r\n' + ('y' * 70 + '\r\n') * 20000)
    patient = Row('patient', ('delivered', 250))
    patient.script.patient = True
    yield patient


ROWS = [*refusals(), *openings(), *encrypted(), *asked(), *texts()]
BY_NAME = {r.name: r for r in ROWS}


def submit(server, user):
    for at in range(0, len(ROWS), 100):  # as many as one session may have commands for
        with smtplib.SMTP('127.0.0.1', server.ports['submission'], timeout=60) as s:
            s.starttls(context=TLS)
            s.login(user, 'secret')
            for i, row in enumerate(ROWS[at:at + 100], at):
                assert s.mail(user, row.options)[0] == 250, row.name
                for who in row.rcpts:
                    assert s.docmd(f'RCPT TO:<{who}@c{i}.example> {" ".join(row.rcpt_options)}'.rstrip())[0] == 250, row.name
                assert s.data(f'From: {user}\r\n{row.text}'.encode('latin-1'))[0] == 250, row.name


def results(server):
    """By address: state, code and text of its first attempt."""
    found = {}
    for line in re.finditer(r' ev=queue\.result .*? to=(\S+) state=(\S+) code=(\d+) text=("(?:[^"\\]|\\.)*"|\S*)', server.log()):
        found.setdefault(line[1].strip('"'), (line[2], int(line[3]), line[4].strip('"')))
    return found


@pytest.fixture(scope='module')
def world():
    peers = Scripted([r.script for r in ROWS])
    s = Server(extra=['outbound none', 'outbound-limits none'] + [f'route c{i}.example {peers.address(i)}:{peers.port}{r.route}' for i, r in enumerate(ROWS)])
    peers.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    peers.context.load_cert_chain(s.cert, f'{s.dir}/key.pem')
    try:
        s.start()
        s.add_domain()
        submit(s, s.add_account('anna'))
        count = sum(len(r.rcpts) for r in ROWS)
        wait_for(lambda: len([a for a in results(s) if a.split('@')[1] != 'example.com']) >= count, 120, 0.5)
        yield s
    finally:
        s.remove()
        peers.close()


@pytest.fixture(scope='module')
def said(world):
    return results(world)


@pytest.mark.parametrize('name', BY_NAME)
def test_what_comes_of_it(said, name):
    """Refused for good, to be tried again, or delivered; and then it was taken, once."""
    row = BY_NAME[name]
    i = ROWS.index(row)
    state, code, text = next(v for k, v in said.items() if k.endswith(f'@c{i}.example') and not k.startswith(('y@', 'z@')))
    assert state == row.want[0] and row.want[1] in (None, code), (state, code, text)
    assert text != ''
    taken = len([b for b in row.script.bodies if len(b) > 3]) + len([1 for line, _ in row.script.chunks if b'LAST' in line])
    if state == 'delivered':
        assert taken == 1


def test_lines(world):
    """Section 2.3.8 and 4.5.3.1: CRLF and nothing else, of bounded length; no blank before it."""
    for row in ROWS:
        for line in row.script.lines:
            assert line.endswith(b'\r\n') and b'\r' not in line[:-2] and b'\0' not in line and len(line) <= 1024, (row.name, line)
            assert line == line.rstrip() + b'\r\n', (row.name, line)
        for verb in row.script.verbs():
            assert verb in ('EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'BDAT', 'STARTTLS', 'RSET', 'QUIT'), (row.name, verb)
        for body in row.script.bodies + [b for _, b in row.script.chunks]:
            assert body.count(b'\n') == body.count(b'\r\n') == body.count(b'\r') and b'\0' not in body, row.name
            assert all(len(line) <= 998 + line.startswith(b'..') for line in body.split(b'\r\n')), row.name


def test_texts(world):
    """Section 4.5.2: a dot more at each line that begins with one, and the end is a line of its own; BDAT changes nothing."""
    for way in ('plain', 'piped', 'chunked'):
        script = BY_NAME[f'text-{way}'].script
        if way == 'chunked':
            (line, body), = script.chunks
            assert line == b'BDAT %d LAST\r\n' % len(body) and not script.bodies
            assert body.endswith(b'\r\n\r\n.\r\n..\r\n.x\r\n\r\nend.\r\n')
        else:
            body, = script.bodies
            assert body.endswith(b'\r\n\r\n..\r\n...\r\n..x\r\n\r\nend.\r\n.\r\n') and not script.chunks
        large = BY_NAME[f'large-{way}'].script
        text = b''.join(b for _, b in large.chunks) or large.bodies[0]
        dots = 70 if way == 'chunked' else 71
        assert text.count(b'.' * dots + b'\r\n') == 20000 and len(large.chunks) != 1
        long = BY_NAME[f'long-lines-{way}'].script
        text = b''.join(b for _, b in long.chunks) or long.bodies[0]
        assert text.count(b'y') >= 5000 and text.count(b'z') >= 998


def test_the_order_of_commands(world):
    """Section 4.1.4; a message that nobody takes is not sent, and one that broke off is not gone on with."""
    assert BY_NAME['text-plain'].script.verbs()[:4] == ['EHLO', 'MAIL', 'RCPT', 'DATA']
    assert BY_NAME['text-chunked'].script.verbs()[:4] == ['EHLO', 'MAIL', 'RCPT', 'BDAT']
    assert BY_NAME['HELO-after-500'].script.verbs()[:5] == ['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA']
    for row in ROWS:
        script, verbs = row.script, row.script.verbs()
        if row.name.startswith(('greeting', 'EHLO', 'HELO')) and row.want[0] == 'later':
            assert 'MAIL' not in verbs and script.connections == 1, row.name
        if row.name.startswith('nobody'):
            assert script.chunks == [] and script.bodies in ([], [b'.\r\n']) and len(script.bodies) <= ('piped' in row.name), row.name
        if row.name.startswith('MAIL-plain') and row.want[0] != 'delivered':
            assert 'RCPT' not in verbs, row.name
        if row.name.startswith('RCPT-plain') and row.want[0] != 'delivered':
            assert 'DATA' not in verbs, row.name
        if row.name.startswith(('MAIL', 'RCPT', 'DATA')):
            assert all(b in (b'', b'.\r\n') for b in script.bodies) and not script.chunks, row.name
    assert len(BY_NAME['chunk-refused'].script.chunks) == 1
    assert not any(b'LAST' in line for line, _ in BY_NAME['chunk-refused'].script.chunks)


def test_several_recipients(world, said):
    """Each has the answer that was said to it; those that were taken have the message."""
    for way in ('plain', 'piped', 'chunked'):
        i = ROWS.index(BY_NAME[f'some-{way}'])
        assert [said[f'{who}@c{i}.example'][:2] for who in 'xyz'] == [('failed', 550), ('delivered', 250), ('later', 450)]
        script = BY_NAME[f'some-{way}'].script
        assert len(script.bodies) + len(script.chunks) == 1


def test_pipelining_only_where_it_is_offered(world):
    """RFC 2920: nobody waits where nobody must, and nothing is sent ahead elsewhere."""
    assert all(row.script.early == [] for row in ROWS), [(r.name, r.script.early) for r in ROWS if r.script.early]
    assert BY_NAME['patient'].script.verbs()[:4] == ['EHLO', 'MAIL', 'RCPT', 'DATA']


def test_extensions_only_where_they_are_offered(world):
    def mail(name):
        return BY_NAME[name].script.line('MAIL')

    def rcpt(name):
        return BY_NAME[name].script.line('RCPT')
    user = 'MAIL FROM:<anna@example.com>'
    assert mail('text-piped') == user and mail('7bit') == user and mail('odd-offers') == user and mail('HELO-offers-nothing') == user
    assert mail('8bit-offered') == user + ' BODY=8BITMIME'
    assert mail('utf8-offered') == user + ' BODY=8BITMIME SMTPUTF8'  # our own trace field has the address
    assert mail('utf8-not-needed') == user
    assert rcpt('utf8-offered').startswith('RCPT TO:<\xfc@c')
    assert mail('dsn-offered') == user + ' RET=FULL ENVID=e1' and mail('dsn-not-offered') == user
    assert rcpt('dsn-offered').endswith('> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@example.com')
    assert rcpt('dsn-not-offered').endswith('.example>')
    assert re.fullmatch(user + r' BY=(600|59\d);N', mail('by-offered')) and mail('by-not-offered') == user
    assert mail('priority-offered') == user + ' MT-PRIORITY=3' and mail('priority-not-offered') == user
    for name in ('8bit-not-offered', 'utf8-not-offered', 'size-300'):
        assert 'MAIL' not in BY_NAME[name].script.verbs(), name
    for name in ('size-1000000', 'size', 'size-0'):
        body, = BY_NAME[name].script.bodies
        size = int(re.fullmatch(user + r' SIZE=(\d+)', mail(name))[1])
        unstuffed = re.sub(rb'(?m)^\.\.', b'.', body[:-3])
        assert 0 <= size - len(unstuffed) <= 100, name  # with the trace field that does not travel
    assert re.fullmatch(user + r' SIZE=\d+ BODY=8BITMIME SMTPUTF8', mail('lower-case'))


def test_tls(world):
    """RFC 3207: nothing that was heard before counts behind it; where a route asks for it nothing is said in clear."""
    for row in ROWS:
        if row.route == ' tls':
            assert not {'MAIL', 'RCPT', 'DATA'} & set(row.script.clear), row.name
    for name in ('tls', 'tls-required'):
        script = BY_NAME[name].script
        assert script.verbs()[:6] == ['EHLO', 'STARTTLS', 'EHLO', 'MAIL', 'RCPT', 'DATA'] and script.clear == ['EHLO', 'STARTTLS']
        assert ' SIZE' not in script.line('MAIL')
    for name, connections in [('refused', 1), ('unknown', 1), ('no-tls', 2), ('gone', 2), ('injected', 2)]:
        assert BY_NAME[f'tls-{name}'].script.connections == connections, name
    assert 'STARTTLS' not in BY_NAME['tls-never'].script.verbs()


def test_they_part_with_quit(world):
    """Section 4.1.1.10: a connection that is in order ends with QUIT, also behind a refusal, and never without need."""
    orderly = [r for r in ROWS if r.want[0] == 'delivered' and not r.name.startswith('tls-')] + [
        BY_NAME[n] for n in BY_NAME if n.endswith(('-later', '-never')) and n.split('-')[0] in ('MAIL', 'RCPT', 'DATA', 'body', 'BDAT')]
    wait_for(lambda: all(r.script.ends for r in orderly), 60, 0.5)
    assert [r.name for r in orderly if r.script.ends != [b'QUIT\r\n']] == []
