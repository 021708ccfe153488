/* clients.js - one task with nodemailer or imapflow; argument: the task as JSON; prints its result as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';

const fs = require('fs');
const { ImapFlow } = require('imapflow');
const nodemailer = require('nodemailer');

/* The server's certificate is checked against the one CA of the demonstration, by name. */
function connection(task) {
    return {
        host: '127.0.0.1', /* "localhost" may be ::1 first */
        servername: 'localhost',
        port: task.port,
        secure: task.secure,
        auth: { user: task.user, pass: task.password },
        tls: { ca: fs.readFileSync(task.ca), servername: 'localhost' },
        logger: false,
    };
}

async function send(task) {
    const transport = nodemailer.createTransport({ ...connection(task), requireTLS: !task.secure });
    await transport.verify();
    const info = await transport.sendMail({
        ...task.message,
        attachments: task.attachments.map((a) => ({
            filename: a.filename,
            contentType: a.contentType,
            content: Buffer.from(a.base64, 'base64'),
        })),
    });
    transport.close();
    return { accepted: info.accepted, rejected: info.rejected, response: info.response, id: info.messageId };
}

async function collect(stream) {
    const pieces = [];
    for await (const piece of stream)
        pieces.push(piece);
    return Buffer.concat(pieces);
}

/* What hangs below, as lines "1.2 text/html". */
function structureLines(node) {
    const own = `${node.part || ''} ${node.type}`.trim();
    return [own, ...(node.childNodes || []).flatMap(structureLines)];
}

async function lookAtInbox(client, task, out) {
    out.exists = (await client.mailboxOpen('INBOX')).exists;
    out.found = await client.search({ subject: task.subject }, { uid: true });
    out.notFound = await client.search({ subject: 'nothing of that kind' }, { uid: true });
    const uid = String(out.found[0]);
    const m = await client.fetchOne(uid, { uid: true, envelope: true, bodyStructure: true, source: true, size: true,
                                           flags: true, internalDate: true }, { uid: true });
    out.envelope = { subject: m.envelope.subject, from: m.envelope.from, to: m.envelope.to, id: m.envelope.messageId };
    out.structure = structureLines(m.bodyStructure);
    out.size = m.size;
    out.source = m.source.toString('base64');
    out.parts = {};
    for (const part of task.parts) {
        const d = await client.download(uid, part, { uid: true });
        out.parts[part] = { type: d.meta.contentType, filename: d.meta.filename || null,
                            base64: (await collect(d.content)).toString('base64') };
    }
    await client.messageFlagsAdd(uid, ['\\Flagged', '$Project'], { uid: true });
    await client.messageFlagsAdd(uid, ['\\Seen'], { uid: true });
    await client.messageFlagsRemove(uid, ['\\Seen'], { uid: true });
    out.flags = [...(await client.fetchOne(uid, { flags: true }, { uid: true })).flags].sort();
    out.flagged = await client.search({ flagged: true, keyword: '$Project' }, { uid: true });
    return uid;
}

async function fileAway(client, uid, out) {
    const made = await client.mailboxCreate(['Projekte', 'Köln & Bonn']);
    out.created = made.path;
    const drafted = await client.append('Drafts', 'Subject: a draft\r\n\r\nto be continued\r\n', ['\\Draft', '\\Seen']);
    out.appended = { path: drafted.destination, uid: drafted.uid, validity: String(drafted.uidValidity) };
    const moved = await client.messageMove(uid, made.path, { uid: true });
    out.moved = [...moved.uidMap].flat();
    out.left = (await client.status('INBOX', { messages: true })).messages;
    const there = await client.status(made.path, { messages: true, unseen: true, uidNext: true });
    out.there = { messages: there.messages, unseen: there.unseen, uidNext: there.uidNext };
}

/* Says so on stdout when it listens; the other side then sends a mail. */
async function waitForMail(client, out) {
    await client.mailboxOpen('INBOX');
    const news = new Promise((resolve) => client.once('exists', resolve));
    const idling = client.idle();
    process.stdout.write('idle\n');
    const event = await news;
    out.news = { path: event.path, count: event.count, before: event.prevCount };
    const m = await client.fetchOne('*', { envelope: true });
    out.newSubject = m.envelope.subject;
    await idling;
}

async function imap(task) {
    const client = new ImapFlow(connection(task));
    const out = {};
    await client.connect();
    out.list = (await client.list()).map((m) => [m.path, m.specialUse || null]);
    const uid = await lookAtInbox(client, task, out);
    await fileAway(client, uid, out);
    await waitForMail(client, out);
    await client.logout();
    return out;
}

const task = JSON.parse(process.argv[2]);
({ send, imap })[task.task](task).then((result) => {
    process.stdout.write(JSON.stringify(result) + '\n');
}).catch((error) => {
    process.stderr.write(`${error.stack}\n${JSON.stringify(error)}\n`);
    process.exitCode = 1;
});
