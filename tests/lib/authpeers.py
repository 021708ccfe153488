"""authpeers.py - those who sign and verify beside a Postfix: OpenDKIM and rspamd, as its milters.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import os
import socket
import subprocess

from godwit import text_of, wait_for

SIGNERS = {'relaxed': (2501, 'Canonicalization relaxed/relaxed\n'), 'simple': (2502, 'Canonicalization simple/simple\n'),
           'part': (2503, 'Canonicalization relaxed/simple\nMaximumSignedBytes 20\n'),
           'ed25519': (2504, 'Canonicalization relaxed/relaxed\nSignatureAlgorithm ed25519-sha256\n'), 'rspamd': (2505, '')}
RSPAMD = 11332
VERIFIER = 8800
LUA = '/usr/share/rspamd/plugins'
RSPAMD_CONF = '''options {{ filters = "dkim"; pidfile = "{d}/pid"; tempdir = "{d}"; hs_cache_dir = "{d}"; url_tld = "{d}/tlds";
  local_addrs = "127.0.0.0/8"; dns {{ nameserver = ["{dns}:53"]; timeout = 5s; retransmits = 2; }} }}
logging {{ type = "console"; level = "info"; }}
worker "rspamd_proxy" {{ bind_socket = "127.0.0.1:{port}"; milter = true; count = 1; timeout = 30s;
  upstream "local" {{ default = true; self_scan = true; }} }}
worker "normal" {{ enabled = false; }}
actions {{ reject = 10000; add_header = 9999; greylist = 9998; }}
modules {{ {modules} }}
dkim {{ trusted_only = false; }}
spf {{ }}
dmarc {{ }}
dkim_signing {{ sign_local = true; sign_inbound = false; use_domain = "header"; use_esld = false; check_pubkey = false;
  domain {{ {domain} {{ selector = "rs"; path = "{d}/key"; }} }} }}
arc {{ sign_local = true; sign_inbound = true; use_domain = "recipient"; use_esld = false; allow_hdrfrom_mismatch = true;
  check_pubkey = false; path = "{d}/key"; selector = "rs"; use_domain_sign_inbound = "{domain}"; use_domain_sign_local = "{domain}"; }}
milter_headers {{ use = ["authentication-results"]; skip_local = false; skip_authenticated = false;
  routines {{ authentication-results {{ header = "X-Rspamd-Says"; }} }} }}
'''


class Verifiers:
    """Programs on one host.  On port 25 its Postfix has OpenDKIM and rspamd verify what comes, and rspamd seal it; what is
    given to a port of SIGNERS is signed, by OpenDKIM or rspamd.  records: of the keys, for the zone."""

    def __init__(self, host, folder, domain, dns):
        self.host, self.dir, self.domain = host, folder, domain
        self.running = []
        self.records = {}
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        rsa = self._key('od', ['-algorithm', 'rsa', '-pkeyopt', 'rsa_keygen_bits:2048'])
        ed = self._key('oe', ['-algorithm', 'ed25519'])
        for n, (name, (_, lines)) in enumerate(SIGNERS.items()):
            if lines:
                key, selector = (ed, 'oe') if name == 'ed25519' else (rsa, 'od')
                self._opendkim(name, VERIFIER + 1 + n, f'Mode s\nDomain {domain}\nSelector {selector}\nKeyFile {key}\n{lines}')
        self._opendkim('verify', VERIFIER, f'Mode v\nAlwaysAddARHeader yes\nAuthservID opendkim.{domain}\nNameservers {dns}\n')
        self._rspamd(dns)

    def _key(self, selector, words):
        path = os.path.join(self.dir, selector + '.pem')
        subprocess.run(['openssl', 'genpkey', '-out', path, *words], check=True, capture_output=True)
        os.chmod(path, 0o600)
        lines = subprocess.run(['openssl', 'pkey', '-in', path, '-pubout'], check=True, capture_output=True, text=True).stdout
        public = ''.join(lines.splitlines()[1:-1])
        if words[1] == 'ed25519':  # RFC 8463, 4: the key alone, which is the end of it
            public = base64.b64encode(base64.b64decode(public)[-32:]).decode()
        self.records[f'{selector}._domainkey.{self.domain}'] = f'v=DKIM1; k={"ed25519" if words[1] == "ed25519" else "rsa"}; p={public}'
        return path

    def _start(self, name, port, words):
        with open(os.path.join(self.dir, name + '.log'), 'wb') as out:
            p = subprocess.Popen([*self.host.prefix, *words], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self.running.append((name, port, p))

    def _opendkim(self, name, port, lines):
        conf = os.path.join(self.dir, name + '.conf')
        with open(conf, 'w', encoding='ascii') as f:
            f.write(f'Socket inet:{port}@127.0.0.1\nSyslog no\nUserID root\nRequireSafeKeys no\nBackground no\n{lines}')
        self._start(name, port, ['opendkim', '-f', '-x', conf])

    def _rspamd(self, dns):
        d = os.path.join(self.dir, 'rspamd')
        os.mkdir(d)
        os.chmod(d, 0o777)
        key = self._key('rs', ['-algorithm', 'rsa', '-pkeyopt', 'rsa_keygen_bits:2048'])
        subprocess.run(['install', '-m', '644', key, f'{d}/key'], check=True)
        modules = ' '.join(f'path = "{LUA}/{m}.lua";' for m in ('spf', 'dmarc', 'dkim_signing', 'arc', 'milter_headers'))
        for name, text in (('tlds', 'com\nexample\n'), ('conf', RSPAMD_CONF.format(
                d=d, dns=dns, port=RSPAMD, modules=modules, domain=self.domain))):
            with open(os.path.join(d, name), 'w', encoding='ascii') as f:
                f.write(text)
            os.chmod(f.name, 0o644)
        self._start('rspamd', RSPAMD, ['rspamd', '-f', '-c', f'{d}/conf', '-u', 'nobody', '-g', 'nogroup'])

    def ready(self):
        for name, port, process in self.running:
            def answers(name=name, port=port, process=process):
                assert process.poll() is None, text_of(os.path.join(self.dir, name + '.log'))
                with self.host.inside(), socket.socket() as s:
                    return s.connect_ex(('127.0.0.1', port)) == 0
            wait_for(answers, 120)
        return self

    def services(self):
        """Lines of master.cf."""
        found = ''
        for n, (port, lines) in enumerate(SIGNERS.values()):
            milter = VERIFIER + 1 + n if lines else RSPAMD
            found += f'{port} inet n - n - - smtpd -o smtpd_milters=inet:127.0.0.1:{milter}\n'
        return found

    def settings(self):
        """Lines of main.cf."""
        return f'smtpd_milters = inet:127.0.0.1:{VERIFIER}, inet:127.0.0.1:{RSPAMD}\nmilter_default_action = tempfail\n'

    def testmsg(self, message):
        """Is opendkim-testmsg content, and what does it say?"""
        done = subprocess.run([*self.host.prefix, 'opendkim-testmsg', '-C', '-t', self.dir], input=message, capture_output=True,
                              check=False, cwd=self.dir, timeout=60)
        return done.returncode == 0, (done.stdout + done.stderr).decode()

    def close(self):
        for _, _, process in self.running:
            process.terminate()
        for _, _, process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
