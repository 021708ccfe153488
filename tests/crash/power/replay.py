"""replay.py - the disk as it may be found after the power failed at some moment of a trace that record.c wrote.

What was synced is there.  Of what was not, any part may be: writes in any order, or only some sectors of one; names up
to some moment, in order, as file systems with a journal keep them; sizes.

SPDX-License-Identifier: Apache-2.0
"""
import os
import struct

CREATE, WRITE, SYNC, SYNC_DIR, RENAME, UNLINK, LINK, MKDIR, SIZE, GROW, ACK = range(1, 12)
HEAD = struct.Struct('=IIQQQQ')
SECTOR = 512


class Event:
    def __init__(self, kind, inode, offset, size, name, data):
        self.kind, self.inode, self.offset, self.size, self.name, self.data = kind, inode, offset, size, name, data


def read_trace(path):
    with open(path, 'rb') as f:
        text = f.read()
    events, at = [], 0
    while at + HEAD.size <= len(text):
        kind, name_size, inode, offset, size, data_size = HEAD.unpack_from(text, at)
        at += HEAD.size
        if at + name_size + data_size > len(text):
            break  # the process was killed while it wrote
        name = os.path.normpath(text[at:at + name_size].decode()) if name_size else ''
        events.append(Event(kind, inode, offset, size, name, text[at + name_size:at + name_size + data_size]))
        at += name_size + data_size
    return events


class Content:
    """Bytes, and zeros up to size: space set aside costs nothing here."""

    def __init__(self, data=b''):
        self.size = len(data)
        self.data = bytearray(data.rstrip(b'\0'))

    def copy(self):
        new = Content()
        new.data, new.size = bytearray(self.data), self.size
        return new

    def resize(self, size):
        del self.data[size:]
        self.size = size

    def put(self, offset, data):
        if len(self.data) < offset:
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset:offset + len(data)] = data
        self.size = max(self.size, offset + len(data))

    def apply(self, event, dice=None):
        """dice: only some sectors of a write arrive; the others of new space hold zeros."""
        if event.kind == SIZE:
            self.resize(event.size)
        elif event.kind == GROW:
            self.size = max(self.size, event.size)
        elif dice is None:
            self.put(event.offset, event.data)
        else:
            self.size = max(self.size, event.offset + len(event.data))
            at, end = event.offset, event.offset + len(event.data)
            while at < end:
                stop = min(end, (at // SECTOR + 1) * SECTOR)
                if dice.random() < 0.5:
                    self.put(at, event.data[at - event.offset:stop - event.offset])
                at = stop


class File:
    """durable: what a sync promised.  pending: events since."""

    def __init__(self, data=b''):
        self.durable, self.pending = Content(data), []

    def sync(self):
        for event in self.pending:
            self.durable.apply(event)
        self.pending = []

    def after_power_loss(self, keep, dice):
        """keep: of what is pending; 'none', 'all', 'some', 'sectors'."""
        content = self.durable.copy()
        for event in self.pending:
            if keep == 'all' or (keep != 'none' and dice.random() < 0.5):
                content.apply(event, dice if keep == 'sectors' else None)
        return content


class Disk:
    """Follows a trace.  Names are paths below the root; a directory's own name is its inode's."""

    def __init__(self, base=None):
        self.names, self.folders = {}, {'.'}       # durable: path -> File
        self.pending_names = []                     # (folders that must be synced, what to do)
        self.live = {}                              # inode -> File, as the process sees it
        self.folder_inodes = {}                     # inode -> path
        if base:
            self.load(base)

    def load(self, base):
        for folder, _, files in os.walk(base):
            path = os.path.relpath(folder, base)
            self.folders.add(path)
            self.folder_inodes[os.stat(folder).st_ino] = path
            for name in files:
                whole = os.path.join(folder, name)
                with open(whole, 'rb') as f:
                    file = File(f.read())
                self.names[os.path.normpath(os.path.join(path, name))] = file
                self.live[os.stat(whole).st_ino] = file

    def step(self, event):
        if event.kind == CREATE:
            file = self.live[event.inode] = File()
            self.change(event.name, lambda names, folders: names.__setitem__(event.name, file))
        elif event.kind == MKDIR:
            self.folder_inodes[event.inode] = event.name
            self.change(event.name, lambda names, folders: folders.add(event.name))
        elif event.kind in (WRITE, SIZE, GROW):
            self.live[event.inode].pending.append(event)
        elif event.kind == SYNC:
            self.live[event.inode].sync()
        elif event.kind == SYNC_DIR:
            self.sync_names(self.folder_inodes[event.inode])
        elif event.kind == UNLINK:
            self.change(event.name, lambda names, folders: names.pop(event.name, None))
        elif event.kind in (RENAME, LINK):
            self.two_names(event)

    def two_names(self, event):
        second = os.path.normpath(event.data.decode())

        def do(names, folders):
            file = names.get(event.name)
            if event.kind == RENAME:
                names.pop(event.name, None)
            if file is not None:
                names[second] = file
        self.change(second, do)

    def change(self, name, what):
        self.pending_names.append((os.path.dirname(name) or '.', what))

    def sync_names(self, folder):
        """Of this folder, in order; a rename between two folders counts for where it leads."""
        rest = []
        for where, what in self.pending_names:
            if where == folder:
                what(self.names, self.folders)
            else:
                rest.append((where, what))
        self.pending_names = rest

    def image(self, path, keep, dice):
        """Writes what is found after the power failed now."""
        names, folders = dict(self.names), set(self.folders)
        count = len(self.pending_names)
        kept = count if keep == 'all' else 0 if keep == 'none' else dice.randint(0, count)
        for _, what in self.pending_names[:kept]:
            what(names, folders)
        contents = {}
        for folder in sorted(folders):
            os.makedirs(os.path.join(path, folder), exist_ok=True)
        for name, file in names.items():
            if os.path.dirname(name) and os.path.dirname(name) not in folders:
                continue
            if id(file) not in contents:
                contents[id(file)] = file.after_power_loss(keep, dice)
            with open(os.path.join(path, name), 'wb') as f:
                f.write(contents[id(file)].data)
                f.truncate(contents[id(file)].size)
