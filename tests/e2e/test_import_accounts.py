"""godwit import accounts: hashes of other servers and what becomes of them; passwd-files, CSV and dumps of SQL.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import crypt
import hashlib
import hmac
import imaplib
import json
import os
import threading

import pytest
from godwit import Server, wait_for
from scram import Scram, Talk

HERE = 'example.com'
PASSWORD = 'correct horse'
SALT = b'\x01salt\xff78'


def b64(value):
    return base64.b64encode(value).decode()


def digest(name, salt=b''):
    return hashlib.new(name, PASSWORD.encode() + salt).digest() + salt


def scram():
    salted = hashlib.pbkdf2_hmac('sha256', PASSWORD.encode(), SALT, 4096)
    client, server = (hmac.digest(salted, word, 'sha256') for word in (b'Client Key', b'Server Key'))
    return f'4096,{b64(SALT)},{b64(hashlib.sha256(client).digest())},{b64(server)}'


def pbkdf2():
    return '$1$saltsalt$5000$' + hashlib.pbkdf2_hmac('sha1', PASSWORD.encode(), b'saltsalt', 5000).hex()


SCHEMES = {
    'sha512-crypt': '{SHA512-CRYPT}' + crypt.crypt(PASSWORD, '$6$saltsalt'),
    'sha256-crypt': '{SHA256-CRYPT}' + crypt.crypt(PASSWORD, '$5$rounds=2000$saltsalt'),
    'blf-crypt': '{BLF-CRYPT}' + crypt.crypt(PASSWORD, '$2y$05$abcdefghijklmnopqrstuu'),
    'md5-crypt': '{MD5-CRYPT}' + crypt.crypt(PASSWORD, '$1$saltsalt'),
    'crypt': '{CRYPT}' + crypt.crypt(PASSWORD, '$2b$04$abcdefghijklmnopqrstuu'),
    'des': crypt.crypt(PASSWORD, 'ab'),
    'bare': crypt.crypt(PASSWORD, '$6$saltsalt'),
    'yescrypt': crypt.crypt(PASSWORD, '$y$j9T$saltsalt'),
    'argon2i': '{ARGON2I}$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$TXMHh8p/Z1XrJD4QWXdkAcy59teiSmbNEB+LDyrgyFk',
    'argon2id': '{ARGON2ID}$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHQ$7ZgA2Fcc4wWe1/3JW4KZUgFufg103vcN',
    'phc': '$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHQ$7ZgA2Fcc4wWe1/3JW4KZUgFufg103vcN',
    'ssha': '{SSHA}' + b64(digest('sha1', SALT)),
    'ssha256': '{SSHA256}' + b64(digest('sha256', SALT)),
    'ssha512': '{SSHA512}' + b64(digest('sha512', SALT)),
    'ssha512-hex': '{SSHA512.HEX}' + digest('sha512', SALT).hex(),
    'sha': '{SHA}' + b64(digest('sha1')),
    'sha256': '{SHA256}' + b64(digest('sha256')),
    'sha512': '{SHA512.b64}' + b64(digest('sha512')),
    'pbkdf2': '{PBKDF2}' + pbkdf2(),
    'scram': '{SCRAM-SHA-256}' + scram(),
    'plain': '{PLAIN}' + PASSWORD,
    'cleartext': '{CLEARTEXT.b64}' + b64(PASSWORD.encode()),
}
SCRAM_AT_ONCE = ('scram', 'plain', 'cleartext')


@pytest.fixture(scope='module')
def town():
    server = Server(extra=['outbound none'])
    try:
        server.start().add_domain()
        yield server
    finally:
        server.remove()


def run(server, text, *words):
    """{name: (result, why)} and the exit status."""
    path = os.path.join(server.dir, 'import')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    done = server.ctl('import', 'accounts', path, *words, '--json', check=False)
    assert done.stderr == ''
    return {e['address']: (e['result'], e['why']) for e in json.loads(done.stdout)}, done.returncode


def accounts(server):
    return {a['address']: a for a in json.loads(server.ctl('account', 'list', '--json').stdout)}


def log_in(server, name, password=PASSWORD):
    c = imaplib.IMAP4('127.0.0.1', server.ports['imap'])
    c.login(f'{name}@{HERE}', password)
    return c


def by_scram(server, name):
    with Talk(server, 'imaps') as t:
        return t.log_in(Scram(f'{name}@{HERE}', PASSWORD), 'SCRAM-SHA-256')


def renewed(server, name):
    return any('ev=auth.renewed' in line and f'account={name}@{HERE}' in line and 'result=ok' in line
               for line in server.log().splitlines())


def test_every_scheme_logs_in_and_is_replaced(town):
    found, code = run(town, ''.join(f'{name}:{value}\n' for name, value in SCHEMES.items()))
    assert code == 0 and {r for r, _ in found.values()} == {'set'} and len(found) == len(SCHEMES)
    assert by_scram(town, 'ssha').startswith(b'a NO [AUTHENTICATIONFAILED]')
    assert f'account=ssha@{HERE} protocol=imap reason=foreign' in town.log()
    assert by_scram(town, 'plain') == b'ok'
    with pytest.raises(imaplib.IMAP4.error, match='AUTHENTICATIONFAILED'):
        log_in(town, 'sha', 'Correct horse')
    clients = {name: log_in(town, name) for name in SCHEMES}
    ours = [name for name in SCHEMES if name != 'des']  # which looked at eight letters: the rest may be anything
    for name in ours:
        wait_for(lambda: renewed(town, name))
    assert not renewed(town, 'des')
    for name, client in clients.items():  # nothing of it ends a session
        assert client.select()[0] == 'OK', name
        client.shutdown()
    town.stop()
    town.start()
    before = town.log().count('ev=auth.renewed')
    for name in ours:
        log_in(town, name).shutdown()
        assert by_scram(town, name) == b'ok', name
    assert town.log().count('ev=auth.renewed') == before


def test_costs_are_bounded_and_errors_go_on(town):
    text = (f'fine:{SCHEMES["ssha"]}\nhours:$2y$20$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n'
            'strange:{OTP}x\nraw:secret\nnot an address:{PLAIN}x\nfar@far.example:{PLAIN}x\nlocked:!$6$x\nnone:\n')
    expected = {'hours': 'too long', 'strange': 'not known', 'raw': 'not known', 'not an address': 'no address',
                'far@far.example': 'not served'}
    trial, code = run(town, text, '--dry-run')
    assert code == 1 and f'fine@{HERE}' not in accounts(town)
    found, code = run(town, text)
    assert code == 1 and found == trial
    for name, why in expected.items():
        assert found[name][0] == 'left out' and why in found[name][1], name
    assert found[f'fine@{HERE}'] == ('set', '')
    assert found[f'locked@{HERE}'] == found[f'none@{HERE}'] == ('set', 'without a password')
    with pytest.raises(imaplib.IMAP4.error, match='AUTHENTICATIONFAILED'):
        log_in(town, 'none', '')


def test_what_is_there_stays_unless_told(town):
    text = ('email,password,quota,active\n'
            f'again@{HERE},{SCHEMES["ssha"]},1G,1\n'
            f'off@{HERE},{SCHEMES["ssha"]},0,0\n')
    found, code = run(town, text)
    assert code == 0 and found[f'off@{HERE}'][0] == 'set'
    now = accounts(town)
    assert now[f'again@{HERE}']['quota_bytes'] == 1 << 30 and not now[f'again@{HERE}']['suspended']
    assert now[f'off@{HERE}']['suspended'] and now[f'off@{HERE}']['quota_bytes'] == 0
    with pytest.raises(imaplib.IMAP4.error, match='AUTHENTICATIONFAILED'):
        log_in(town, 'off')
    town.ctl('account', 'password', f'again@{HERE}', stdin='another\n')
    text = text.replace('1G', '2M').replace(',0,0', ',0,1')
    found, code = run(town, text)
    assert code == 0 and set(found.values()) == {('unchanged', 'it is there already')}
    assert accounts(town) == now
    found, _ = run(town, text, '--update', '--dry-run')
    assert {r for r, _ in found.values()} == {'set'} and accounts(town) == now
    run(town, text, '--update')
    now = accounts(town)
    assert now[f'again@{HERE}']['quota_bytes'] == 2 << 20 and not now[f'off@{HERE}']['suspended']
    log_in(town, 'again').shutdown()
    log_in(town, 'off').shutdown()


def test_locked_in_the_file_is_locked_here(town):
    def row(name, password):
        return f'{name}@{HERE},{password}\n'

    names = ('lock1', 'lock2', 'lock3')
    run(town, 'email,password\n' + ''.join(row(name, SCHEMES['ssha']) for name in names))
    client = log_in(town, 'lock1')
    text = 'email,password\n' + row('lock1', '!' + SCHEMES['ssha']) + row('lock2', '*') + row('lock3', '')
    trial, _ = run(town, text, '--update', '--dry-run')
    log_in(town, 'lock2').shutdown()
    found, code = run(town, text, '--update')
    assert code == 0 and found == trial
    assert [found[f'{name}@{HERE}'][0] for name in names] == ['set', 'set', 'unchanged']
    with pytest.raises((imaplib.IMAP4.abort, imaplib.IMAP4.error, OSError)):
        wait_for(lambda: client.select()[0] != 'OK')
    for name in names[:2]:
        with pytest.raises(imaplib.IMAP4.error, match='AUTHENTICATIONFAILED'):
            log_in(town, name)
        assert not accounts(town)[f'{name}@{HERE}']['has_password']
    assert 'no password' in town.ctl('account', 'show', f'lock1@{HERE}').stdout
    log_in(town, 'lock3').shutdown()  # no word of a password is none of a lock
    assert {r for r, _ in run(town, text, '--update')[0].values()} == {'unchanged'}
    run(town, 'email,password\n' + row('lock1', SCHEMES['ssha']), '--update')
    log_in(town, 'lock1').shutdown()


def test_costly_hashes_leave_a_thread_to_the_others(town):
    """Those of another server go one after the other: a log-in of ours that comes last is not last."""
    costly = crypt.crypt(PASSWORD, '$2b$12$abcdefghijklmnopqrstuu')
    run(town, ''.join(f'slow{i}:{{BLF-CRYPT}}{costly}\n' for i in range(6)))
    town.add_account('quick', 'mine')
    order, begun = [], threading.Barrier(7)

    def one(name, password):
        c = imaplib.IMAP4('127.0.0.1', town.ports['imap'])
        begun.wait()
        if name == 'quick':
            wait_for(lambda: order)  # all have been asked by then
        c.login(f'{name}@{HERE}', password)
        order.append(name)
        c.shutdown()

    town.ctl('account', 'passwd', f'quick@{HERE}', stdin='mine\n')  # so that it is hashed
    threads = [threading.Thread(target=one, args=(f'slow{i}', PASSWORD)) for i in range(6)]
    threads.append(threading.Thread(target=one, args=('quick', 'mine')))
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(order) == 7 and order.index('quick') <= 3, order


def test_a_dump_of_postfixadmin(town):
    text = f'''-- MySQL dump 10.13
CREATE TABLE `alias` (`address` varchar(255) NOT NULL, `goto` text NOT NULL, `domain` varchar(255), `active` tinyint(1), PRIMARY KEY (`address`));
INSERT INTO `alias` VALUES ('anna@new.example','anna@new.example,copy@far.example','new.example',1),
('info@new.example','anna@new.example','new.example',1),('old@new.example','anna@new.example','new.example',0),
('bert@new.example','bert@new.example','new.example',1),('@new.example','bert@new.example','new.example',1);
CREATE TABLE `domain` (`domain` varchar(255), `active` tinyint(1), `backupmx` tinyint(1));
INSERT INTO `domain` VALUES ('ALL',1,0),('new.example',1,0),('backup.example',1,1);
CREATE TABLE `mailbox` (`username` varchar(255), `password` varchar(255), `name` varchar(255), `quota` bigint, `active` tinyint(1));
INSERT INTO `mailbox` VALUES ('anna@new.example','{SCHEMES["md5-crypt"]}','Anna O\\'Neil',5242880,1),('bert@new.example','{SCHEMES["bare"]}','',0,0);
'''
    trial, _ = run(town, text, '--dry-run')
    found, code = run(town, text)
    assert found == trial and code == 1
    assert found['backup.example'][0] == found['old@new.example'][0] == 'left out' and 'ALL' not in found
    now = accounts(town)
    anna, bert = now['anna@new.example'], now['bert@new.example']
    assert anna['quota_bytes'] == 5 << 20 and anna['forward'] == ['copy@far.example'] and anna['keep']
    assert bert['suspended'] and bert['forward'] == []
    aliases = {a['address']: a['targets'] for a in json.loads(town.ctl('alias', 'list', '--json').stdout)}
    assert aliases['info@new.example'] == ['anna@new.example'] and aliases['@new.example'] == ['bert@new.example']
    assert 'old@new.example' not in aliases
    again, _ = run(town, text)
    assert 'set' not in {r for r, _ in again.values()}


def test_many(town):
    count = 3000
    text = ''.join(f'many{i}:{SCHEMES["ssha"]}::::::userdb_quota_rule=*:storage=1G\n' for i in range(count))
    done = town.ctl('import', 'accounts', _written(town, text))
    assert done.stdout.splitlines()[-1] == f'{count} set, 0 unchanged, 0 left out'
    assert done.stdout.splitlines()[0].endswith(f'/many:1: many0@{HERE}, set')
    log_in(town, f'many{count - 1}').shutdown()


def _written(server, text):
    path = os.path.join(server.dir, 'many')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    return path


def test_no_such_file(town):
    for text, said in (('nothing\n', 'this is no passwd-file'), (None, 'cannot be read')):
        path = os.path.join(town.dir, 'absent') if text is None else _written(town, text)
        done = town.ctl('import', 'accounts', path, check=False)
        assert done.returncode == 1 and said in done.stderr


def add_from(server, text, *words):
    """{line: (status or 'made', detail)}, the exit status, and what it printed."""
    done = server.ctl('account', 'add', '--from', '-', '--json', *words, stdin=text, check=False)
    assert done.stderr == '', done
    return {r['line']: (r['status'], r.get('detail', '')) for r in json.loads(done.stdout)}, done.returncode


CSV = (f'address;password;password_hash;quota;active;name\r\n'
       f'csv1@{HERE};"it; is ""mine""";;1G;1;"O\'Neil, A"\r\n'
       f'csv2@{HERE};;{SCHEMES["ssha"]};none;0;\n'
       f'csv3@{HERE};;;;;"two\nlines"\n'
       f'csv4@{HERE};{SCHEMES["bare"]};;;;\n'
       f'csv5@{HERE};x\n'
       f'csv6@far.example;x;;;;\n'
       f'csv1@{HERE};x;;;;\n'
       f'csv7@{HERE};;$2y$20$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2;;;\n'
       f'csv8@{HERE};x;;1X;;\n'
       f'csv9@{HERE};x;y;;;\n')


def test_account_add_takes_csv(town):
    wrong = {6: 'name the column password_hash', 7: 'more values, or fewer', 8: 'no such thing', 10: 'too long',
             11: 'quota cannot be read'}
    trial, code = add_from(town, CSV, '--dry-run')
    assert code == 1 and f'csv1@{HERE}' not in accounts(town)
    found, code = add_from(town, CSV)
    assert code == 1 and sorted(found) == [2, 3, 4, *range(6, 13)] == sorted(trial)
    for line, (status, why) in found.items():
        tried, tried_why = trial[line]
        if line == 9:
            assert status == tried == 422 and why == tried_why and 'twice' in why
        elif line == 12:  # with a hash and a password the hash, which must be one
            assert status == tried == 422
        elif line in wrong:
            assert status == tried >= 400 and wrong[line] in why and why == tried_why, (line, why, tried_why)
        else:
            assert (status, tried) == (201, 200), (line, why, tried_why)
    now = accounts(town)
    assert now[f'csv1@{HERE}']['quota_bytes'] == 1 << 30 and now[f'csv2@{HERE}']['suspended']
    log_in(town, 'csv1', 'it; is "mine"').shutdown()
    town.ctl('account', 'resume', f'csv2@{HERE}')
    log_in(town, 'csv2').shutdown()
    again, code = add_from(town, CSV, '--dry-run')
    assert code == 1 and [again[n][0] for n in (2, 3, 4)] == [409] * 3
    done = town.ctl('account', 'add', '--from', _written(town, CSV.replace('csv', 'v')), check=False)
    assert done.returncode == 1 and done.stdout == '3 accounts are ready\n'
    assert 'line 6: The column password holds a hash' in done.stderr and 'line 12:' in done.stderr


def test_account_add_invites_those_without_a_password(town):
    text = f'mail,password\ninv1@{HERE},\ninv2@{HERE},own\n'
    done = town.ctl('account', 'add', '--from', _written(town, text), '--invite', '--valid', '1d')
    (address, word), last = done.stdout.splitlines()[0].split(), done.stdout.splitlines()[-1]
    assert address == f'inv1@{HERE}' and last == '2 accounts are ready'
    town.ctl('account', 'redeem', address, stdin=f'{word}\nmine\n')
    log_in(town, 'inv1', 'mine').shutdown()
    log_in(town, 'inv2', 'own').shutdown()


@pytest.mark.parametrize('text', ('name,quota\na,1\n', 'anna:{SHA}x\n', 'just text\n'))
def test_account_add_says_what_it_takes(town, text):
    done = town.ctl('account', 'add', '--from', _written(town, text), check=False)
    assert done.returncode == 1 and 'neither JSON' in done.stderr


def test_account_add_takes_files_of_windows(town):
    """A header in quotes, and a mark before JSON as before CSV."""
    for name, text in (('q1', f'"address","password"\r\n"q1@{HERE}","x"\r\n'),
                       ('q2', f'\ufeff"address","password"\r\n"q2@{HERE}","x"\r\n'),
                       ('q3', f'\ufeff{{"address": "q3@{HERE}", "password": "x"}}\r\n')):
        done = town.ctl('account', 'add', '--from', _written(town, text))
        assert done.stdout == '1 accounts are ready\n', (name, done)
        assert f'{name}@{HERE}' in accounts(town)


def test_account_add_of_a_folder_fails(town):
    done = town.ctl('account', 'add', '--from', '/', check=False)
    assert (done.returncode, done.stdout) == (1, '') and '/ cannot be read' in done.stderr


def test_account_add_still_takes_json(town):
    text = f'\n{{"address": "nd1@{HERE}", "password": "x"}}\nnonsense\n{{"address": "nd1@{HERE}"}}'
    assert {n: s for n, (s, _) in add_from(town, text, '--dry-run')[0].items()} == {2: 200, 3: 422, 4: 422}
    assert {n: s for n, (s, _) in add_from(town, text)[0].items()} == {2: 201, 3: 422, 4: 422}
    assert town.ctl('account', 'add', '--dry-run', f'x@{HERE}', check=False).returncode == 2
