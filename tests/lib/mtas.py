"""mtas.py - Exim, OpenSMTPD, Sendmail and Courier, each with the least configuration that plays a host of the Internet.

All of them: mail for people of their domain goes to Maildirs, programs on their host may send everywhere, and other hosts get
mail only under TLS with a certificate that is trusted.

SPDX-License-Identifier: Apache-2.0
"""
from peer import Peer


class Exim(Peer):
    PROGRAMS = (('/usr/sbin/exim4', '-bdf', '-q1s'),)
    SMTPUTF8 = CHUNKING = True
    PREPARE = '''
install -d -o Debian-exim -g Debian-exim /var/spool/exim4
install -o root -g Debian-exim -m 640 {p.key} /etc/exim4/key.pem
'''

    def files(self):
        return {'/etc/exim4/deferred': '', '/etc/aliases': ''.join(f'{k}: {v}\n' for k, v in self.aliases.items()),
                '/etc/exim4/exim4.conf': f'''
primary_hostname = {self.name}
qualify_domain = {self.domain}
domainlist local_domains = {self.domain}
spool_directory = /var/spool/exim4
log_file_path = {self.dir}/log/exim-%slog
log_selector = +all
tls_advertise_hosts = *
tls_certificate = {self.cert}
tls_privatekey = /etc/exim4/key.pem
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_size_limit = 60M
smtp_accept_max = 100
never_users =
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  defer message = come back soon
        local_parts = lsearch;/etc/exim4/deferred
  accept hosts = 127.0.0.1
  require domains = +local_domains
          verify = recipient
  accept
begin routers
out:
  driver = dnslookup
  domains = ! +local_domains
  transport = out
  no_more
alias:
  driver = redirect
  data = ${{lookup{{$local_part}}lsearch{{/etc/aliases}}}}
  allow_fail
people:
  driver = accept
  check_local_user
  transport = home
begin transports
out:
  driver = smtp
  hosts_require_tls = *
  tls_verify_certificates = /etc/ssl/certs/ca-certificates.crt
  tls_verify_hosts = *
home:
  driver = appendfile
  maildir_format
  directory = $home/Maildir
  create_directory
  delivery_date_add
  return_path_add
begin retry
* * F,1h,1s
'''}

    def defer(self, user):
        self.run('sh', '-c', f'echo {user or ""} >/etc/exim4/deferred')


class OpenSmtpd(Peer):
    SERVES_TLS = False  # offers it; but with OpenSSL 3 the one of Debian 12 breaks off every handshake that it answers
    REPORT, REPORTS_ENVID = 'multipart/mixed', False
    PROGRAMS = (('/usr/sbin/smtpd', '-d', '-v'),)
    # One that runs, or ran, on this machine left a spool of other owners: nothing of it shows through.
    PREPARE = '''
rm -rf /var/spool/smtpd
install -d -m 711 /var/spool/smtpd
install -m 600 {p.key} /etc/key.pem
install -m 644 {p.cert} /etc/cert.pem
chgrp opensmtpq /usr/sbin/smtpctl
chmod 2755 /usr/sbin/smtpctl
'''

    def files(self):
        return {'/etc/deferred': 'nobody-is@deferred.example\n',
                '/etc/aliases': ''.join(f'{k}: {v}\n' for k, v in self.aliases.items()), '/etc/smtpd.conf': f'''
pki self cert "/etc/cert.pem"
pki self key "/etc/key.pem"
table aliases file:/etc/aliases
table deferred file:/etc/deferred
smtp max-message-size "60M"
smtp ciphers "DEFAULT"
filter later phase rcpt-to match rcpt-to <deferred> reject "451 4.7.1 come back soon"
listen on 0.0.0.0 tls pki self hostname {self.name} filter later
action "home" maildir alias <aliases>
action "out" relay tls helo {self.name}
match from any for domain "{self.domain}" action "home"
match from local for any action "out"
'''}

    def defer(self, user):
        self.run('sh', '-c', f'echo {user or "nobody-is"}@{self.domain} >/etc/deferred')
        self.run('/usr/sbin/smtpctl', 'update', 'table', 'deferred')

    def retry(self):
        self.run('/usr/sbin/smtpctl', 'schedule', 'all')


class Sendmail(Peer):
    LINE = 989
    PROGRAMS = (('/usr/libexec/sendmail/sendmail', '-bD', '-q1s'),)
    PREPARE = '''
install -m 600 {p.key} /etc/mail/key.pem
install -m 644 {p.cert} /etc/mail/cert.pem
chmod 755 /etc /etc/mail /var /var/spool
install -d -m 700 /var/spool/mqueue
install -d /run/sendmail/mta
m4 -D_CF_DIR_=/usr/share/sendmail/cf/ /usr/share/sendmail/cf/m4/cf.m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf
/usr/libexec/sendmail/sendmail -bi
'''

    def files(self):
        return {'/etc/mail/access': '', '/etc/mail/aliases': ''.join(f'{k}: {v}\n' for k, v in self.aliases.items()),
                '/etc/mail/deliver': '''d=$(getent passwd "$2" | cut -d: -f6)/Maildir
mkdir -p $d/tmp $d/new $d/cur
{ echo "Return-Path: <$1>"; cat; } >$d/tmp/$$ && mv $d/tmp/$$ $d/new/$(date +%s.%N).$$
''', '/etc/mail/sendmail.mc': f'''
OSTYPE(`linux')
define(`confDOMAIN_NAME', `{self.name}')
define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')
define(`confCACERT_PATH', `/etc/ssl/certs')
define(`confSERVER_CERT', `/etc/mail/cert.pem')
define(`confSERVER_KEY', `/etc/mail/key.pem')
define(`confDONT_BLAME_SENDMAIL', `GroupReadableKeyFile')
define(`confMAX_MESSAGE_SIZE', `60000000')
define(`confTO_IDENT', `0')
define(`confMIN_QUEUE_AGE', `0')
define(`confREFUSE_LA', `10000')
define(`confQUEUE_LA', `10000')
define(`confDELAY_LA', `10000')
define(`confPRIVACY_FLAGS', `')
define(`ALIAS_FILE', `/etc/mail/aliases')
define(`LOCAL_MAILER_PATH', `/bin/sh')
define(`LOCAL_MAILER_ARGS', `sh /etc/mail/deliver $f $u')
define(`LOCAL_MAILER_FLAGS', `n9o')
define(`LOCAL_SHELL_PATH', `/bin/sh')
FEATURE(`nouucp', `reject')
FEATURE(`access_db', `text -T<TMPF> -k0 -v1 -z= /etc/mail/access')
FEATURE(`blocklist_recipients')
LOCAL_DOMAIN(`{self.domain}')
MAILER(`local')
MAILER(`smtp')
LOCAL_RULESETS
SLocal_tls_server
R$*		$: $&{{verify}}
ROK		$# OK
R$*		$#error $@ 4.7.0 $: "403 the certificate is not trusted"
'''}

    def defer(self, user):
        line = f'To:{user}@{self.domain}=ERROR:4.7.1:451 come back soon' if user else ''
        self.run('sh', '-c', f'echo "{line}" >/etc/mail/access')


class Courier(Peer):
    PROGRAMS = (('sh', '-c', '/usr/lib/courier/courier-authlib/authdaemond >{p.dir}/log/auth 2>&1 & '
                 '/usr/sbin/courier start; /usr/sbin/esmtpd start; exec sleep infinity'),)
    SMTPUTF8 = True
    DEFERRAL = 'emporarily unavailable'  # it cannot find out whether the recipient exists
    PREPARE = '''
chown -R root:courier /etc/courier
chmod 750 /etc/courier/aliasdir /etc/courier/aliases
cat {p.key} {p.cert} >/etc/courier/esmtpd.pem
chgrp courier /etc/courier/esmtpd.pem
chmod 640 /etc/courier/esmtpd.pem
chown -R courier:courier /var/lib/courier
chmod 750 /var/lib/courier /var/lib/courier/*
chmod 770 /var/lib/courier/tmp
chown courier:courier /usr/lib/courier/courier/submitmkdir /usr/bin/cancelmsg
chmod 4755 /usr/lib/courier/courier/submitmkdir
install -d -m 775 -g courier /run/courier
install -d -m 755 -o courier -g courier /run/courier/authdaemon
for home in {p.dir}/mail/*; do
    [ -d $home/Maildir ] || maildirmake.courier $home/Maildir
    chown -R --reference=$home $home/Maildir
done
ln -s makedat.courier /usr/bin/makedat
makealiases
makesmtpaccess
makeacceptmailfor
'''

    def files(self):
        with open(self.path('tree/etc/courier/esmtpd'), encoding='utf-8') as f:
            listener = f.read()
        with open(self.path('tree/etc/courier/courierd'), encoding='utf-8') as f:
            sender = f.read()
        return {'/etc/courier/bofh': 'opt BOFHSUPPRESSBACKSCATTER=none\n', '/etc/courier/me': self.name + '\n',
                '/etc/courier/locals': self.domain + '\n',
                '/etc/courier/defaultdomain': self.domain + '\n', '/etc/courier/dsnfrom': f'postmaster@{self.name}\n',
                '/etc/courier/esmtpacceptmailfor.dir/own': self.domain + '\n', '/etc/courier/sizelimit': '60000000\n',
                '/etc/courier/smtpaccess/default': '127.0.0.1\tallow,RELAYCLIENT\n',
                '/etc/courier/aliases/system': ''.join(f'{k}: {v}\n' for k, v in self.aliases.items()),
                '/etc/courier/esmtpdelay': '1\n', '/etc/courier/retryalpha': '1\n', '/etc/courier/retrybeta': '1\n',
                '/etc/courier/retrygamma': '1\n',
                '/etc/courier/authdaemonrc': 'authmodulelist="authpam"\nauthmodulelistorig="authpam"\ndaemons=2\nversion=""\n',
                '/etc/courier/esmtpd': listener + 'TARPIT=0\nMAXPERC=40\nMAXPERIP=40\nTLS_DHPARAMS=\n',
                '/etc/courier/courierd': sender.replace('ESMTP_BLOCKBACKSCATTER=', '#') +
                'TLS_VERIFYPEER=PEER\nESMTP_TLS_VERIFY_DOMAIN=1\n'}

    def defer(self, user):
        """It has no table for that; but while nobody answers where it asks for its users it can promise nothing."""
        self.run('sh', '-c', 'cd /run/courier/authdaemon && ' +
                 ('mv socket away && touch socket' if user else '[ ! -e away ] || mv away socket'))

    def retry(self):
        self.run('/usr/sbin/courier', 'flush')
