"""certs.py - an authority for tests, what it signs, and the TLSA records of it.

SPDX-License-Identifier: Apache-2.0
"""
import hashlib
import os
import subprocess


def run(*words):
    return subprocess.run(['openssl', *words], check=True, capture_output=True).stdout


class Authority:
    def __init__(self, folder):
        self.dir = folder
        self.key, self.cert = self._path('authority.key'), self._path('authority.pem')
        self._make(self.key, self.cert, '/CN=an authority', ['-addext', 'basicConstraints=critical,CA:TRUE'])

    def _path(self, name):
        return os.path.join(self.dir, name)

    @staticmethod
    def _make(key, cert, subject, more):
        run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert,
            '-days', '30', '-subj', subject, *more)

    def alone(self, name):
        """(certificate, key) that nobody vouches for."""
        key, cert = self._path(name + '.alone.key'), self._path(name + '.alone.pem')
        self._make(key, cert, '/CN=' + name, ['-addext', f'subjectAltName=DNS:{name}'])
        return cert, key

    def sign(self, *names):
        """(certificate and that of the authority, key) for these names."""
        key, cert, ask = (self._path(f'{names[0]}.{end}') for end in ('key', 'pem', 'csr'))
        run('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', ask,
            '-subj', '/CN=' + names[0], '-addext', 'subjectAltName=' + ','.join('DNS:' + n for n in names))
        run('x509', '-req', '-in', ask, '-CA', self.cert, '-CAkey', self.key, '-CAcreateserial', '-days', '20', '-copy_extensions',
            'copyall', '-out', cert)
        with open(cert, 'ab') as out, open(self.cert, 'rb') as own:
            out.write(own.read())
        return cert, key


def tlsa(cert, usage=3, selector=1, matching=1):
    """The data of a record about the first certificate of a file."""
    data = run('x509', '-in', cert, '-outform', 'DER')
    if selector == 1:
        data = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], check=True, capture_output=True,
                              input=run('x509', '-in', cert, '-noout', '-pubkey')).stdout
    if matching:
        data = (hashlib.sha256 if matching == 1 else hashlib.sha512)(data).digest()
    return f'TLSA {usage} {selector} {matching} {data.hex()}'
