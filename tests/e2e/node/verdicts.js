/* verdicts.js - what mailauth says of messages; standard input: {"texts": {name: the text of its TXT record, or the code of an error},
 * "messages": [files]}; prints, for each message, {"dkim": [[domain, selector, result, why]], "arc": [result, why]}.
 *
 * SPDX-License-Identifier: Apache-2.0 */
'use strict';

const fs = require('fs');
const { dkimVerify } = require('mailauth/lib/dkim/verify');
const { arc } = require('mailauth/lib/arc');

async function main() {
    const { texts, messages } = JSON.parse(fs.readFileSync(0, 'utf8'));
    const said = [];

    async function resolver(name, type) {
        const found = type === 'TXT' ? texts[name.toLowerCase()] || 'ENOTFOUND' : 'ENOTFOUND';
        if (/^E[A-Z]+$/.test(found)) {
            throw Object.assign(new Error(`${found} ${name}`), { code: found });
        }
        return [[found]];
    }

    for (const file of messages) {
        try {
            const found = await dkimVerify(fs.readFileSync(file), { resolver });
            const chain = await arc(found.arc, { resolver });
            said.push({
                dkim: found.results.filter(r => r.status.result !== 'none')
                    .map(r => [r.signingDomain, r.selector, r.status.result, r.status.comment || '']),
                arc: [chain.status.result, chain.status.comment || '']
            });
        } catch (e) {
            said.push({ dkim: [], arc: ['throws', e.message] });
        }
    }
    process.stdout.write(JSON.stringify(said) + '\n');
}

main();
