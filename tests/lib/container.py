"""container.py TREE VOLUME USER COMMAND... - becomes a command in a tree, as a container engine would start it for an ordinary
user: root of a user namespace with one user, or another USER there; the tree read-only but for the volume; of all
capabilities the three that the image's recipe names; no new privileges.

Called within the namespaces: unshare --user --map-root-user --mount --net --pid --fork.

SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_RELATIME = 1, 32, 4096, 1 << 21
ST_RELATIME, LOCKED = 4096, 2 | 4 | 8 | 1024 | 2048  # nosuid, nodev, noexec, noatime, nodiratime: the same for both
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CLONE_NEWUSER = 0x10000000
MNT_DETACH = 2
SYS_PIVOT_ROOT = {'x86_64': 155}.get(os.uname().machine, 41)
KEPT = {6, 7, 10}  # setgid, setuid, net_bind_service
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *words):
    if getattr(libc, name)(*words) != 0:
        raise OSError(ctypes.get_errno(), name)


def mount(source, target, kind=b'none', flags=0):
    call('mount', source.encode(), target.encode(), kind, ctypes.c_ulong(flags), None)


def read_only(path):
    """What is locked stays: an ordinary user may not take nosuid or nodev away."""
    had = os.statvfs(path).f_flag
    keep = had & LOCKED | (MS_RELATIME if had & ST_RELATIME else 0)
    mount('none', path, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | keep)


def loopback_up():
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sH14x', b'lo', 1))  # SIOCSIFFLAGS, IFF_UP


def furnish(tree, volume):
    mount(tree, tree, flags=MS_BIND)
    os.chdir(tree)
    mount('proc', tree + '/proc', kind=b'proc')
    for name in ('null', 'urandom'):
        mount('/dev/' + name, f'{tree}/dev/{name}', flags=MS_BIND)
    mount(volume, tree + '/var/lib/godwit', flags=MS_BIND)
    read_only(tree)
    loopback_up()


def write(path, text):
    """Without a codec, which Python would look for in the tree."""
    fd = os.open(path, os.O_WRONLY)
    os.write(fd, text)
    os.close(fd)


def confine(user):
    call('syscall', ctypes.c_long(SYS_PIVOT_ROOT), b'.', b'.')
    call('umount2', b'.', MNT_DETACH)
    os.chdir('/')
    if user != 0:  # which is not root's, and has no capability at all
        write('/proc/sys/net/ipv4/ip_unprivileged_port_start', b'25')
        call('unshare', CLONE_NEWUSER)
        write('/proc/self/uid_map', b'%d 0 1' % user)
        write('/proc/self/setgroups', b'deny')
        write('/proc/self/gid_map', b'%d 0 1' % user)
    for cap in range(64):
        if cap not in KEPT:
            libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)
    call('prctl', PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == '__main__':
    furnish(sys.argv[1], sys.argv[2])
    confine(int(sys.argv[3]))
    os.execve(sys.argv[4], sys.argv[4:], {'GODWIT_CONFIG': '/var/lib/godwit/godwit.conf', 'PATH': '/usr/bin'})
