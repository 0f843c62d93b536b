// Made-up data of the runbook's later steps: controls, versions, bundles, journeys, ledger, reviews.
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export function makeControls(nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    const point = (since, ms, id, roads) => ({
        point: 'gateway', connected: true, roads: roads.length, acknowledged_at: at(since - ms), proved_at: at(since - ms - 40),
        probes: roads.map((road) => ({ road, reached: true, verdict: 'deny', decided_by: id, detail: 'refused before the upstream was asked' })),
    });
    const proved = (id, since, ms, more, roads = ['mcp:payments', 'decide']) => ({
        id, since: at(since), requested_at: at(since), published_at: at(since - 1), acknowledged_at: at(since - ms), proved_at: at(since - ms - 40), time_to_effect_ms: ms,
        state: 'proved', points: [point(since, ms, id, roads)], acknowledged: { reached: 1, of: 1, away: 0 }, proved: { reached: 1, of: 1 }, validating: false, calls_refused: 0, review_by: new Date(nowMs + 3.2 * hour).toISOString(), ...more,
    });
    return [
        proved('CTL-7', 66 * minute, 12.4, {
            scope: 'tool:refund.issue', mode: 'read_only', reason: 'Prompt refund@12 sends euros, the tool wants cents', author: 'person:ana', incident: 'INC-40', revision: 11, calls_refused: 214,
            validating: true, release_requested_by: 'person:ana', release_requested_at: at(9 * minute), release_reason: 'refund@11 is back in production',
        }),
        {
            ...proved('CTL-6', 2.9 * hour, 8.1, { scope: 'agent:research-assistant', mode: 'observe', reason: 'Six times its usual tokens', author: 'tagout', rule: 'playbook cost/SEV3', incident: 'INC-39', revision: 9, review_by: at(12 * minute) }, ['decide']),
        },
        proved('CTL-4', 6.2 * day, 21, {
            scope: 'tool:files.read', mode: 'stopped', reason: 'It read the payroll folder', author: 'person:li', incident: 'INC-34', revision: 5, state: 'released', calls_refused: 38,
            release_requested_by: 'person:li', release_requested_at: at(6 * day), release_reason: 'Scope is narrowed', released_by: 'person:noor', released_at: at(5.9 * day),
        }),
    ];
}

export function makeApprovals(nowMs) {
    return [{
        id: 'APR-3', control: 'CTL-7', tool: 'refund.issue', server: 'payments', agent: 'refund-agent', workflow: 'refund', session: 'refund-9c1',
        arguments: '{"order":"o-88123","amount":4900,"currency":"EUR","reason":"damaged on arrival"}', arguments_hash: '9b1f77a2c04d5e10',
        asked_at: new Date(nowMs - 40 * second).toISOString(), expires_at: new Date(nowMs + 260 * second).toISOString(),
    }];
}

const prompt = (lines) => `${lines.join('\n')}\n`;
const refund = [
    'You issue refunds for the shop.', '', 'Look the order up with orders.find before anything else.', 'Amounts are integers of cents, as orders.find gives them.',
    'Refund at most what was paid.', '', 'Ask the customer when the order is not named.',
];
const refund12 = [...refund];
refund12[3] = 'Amounts are in euros with two decimals.';
refund12.splice(5, 0, 'Say the amount with its currency in the answer.');

export function makeVersions(nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    const version = (family, name, number, hash, author, message, ago, labels, content, more = {}) => ({
        family, name, number, hash, author, message, created_at: at(ago), labels, was_production: true, content, ...more,
    });
    const mine = { agent: 'refund-agent', workflow: 'refund' };
    return [
        version('prompt', 'refund', 12, '7c41d09be2a35f18', 'person:bo', 'Speak of euros, customers do not know cents', 2.1 * hour, ['latest', 'production'], prompt(refund12), mine),
        version('prompt', 'refund', 11, '1e90b7f3c6d24a57', 'person:ana', 'Ask when the order is not named', 9 * day, [], prompt(refund), mine),
        version('prompt', 'refund', 10, '55aa0c1198ef0b3d', 'person:ana', 'Look the order up first', 31 * day, [], prompt(refund.slice(0, 5)), mine),
        version('prompt', 'triage', 31, 'b3cc51f0aa7719e2', 'person:li', 'Shorter answers', 4 * day, ['latest', 'production'], prompt(['Triage the ticket.', 'Answer in three sentences.']), { agent: 'support-triage' }),
        version('prompt', 'triage', 30, '0d7be6614fa2c893', 'person:li', 'First words', 40 * day, [], prompt(['Triage the ticket.']), { agent: 'support-triage' }),
        version('policy', 'default', 4, '9a20fe4471c3bd06', 'person:ana', 'Mail leaves only to addresses of the customer', 12 * day, ['latest', 'production'], 'rules:\n  - name: mail-to-customer\n    match: { tool: mail.send }\n    effect: escalate\n', {}),
        version('policy', 'default', 3, '4471c39a20febd06', 'person:ana', 'Voids wait for a person', 44 * day, [], 'rules: []\n', {}),
        version('model_route', 'refund', 2, 'cc0914e7a82b5d3f', 'person:bo', 'claude-sonnet-4', 60 * day, ['latest', 'production'], '{"model":"claude-sonnet-4"}\n', mine),
    ];
}

export function diffOf(before, after) {
    const a = before.content.trimEnd().split('\n');
    const b = after.content.trimEnd().split('\n');
    const longest = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
    for (let i = a.length - 1; i >= 0; --i) for (let j = b.length - 1; j >= 0; --j) longest[i][j] = a[i] === b[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    const lines = [];
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
        if (i < a.length && j < b.length && a[i] === b[j]) lines.push({ kind: 'same', text: a[i], from_line: ++i, to_line: ++j });
        else if (i < a.length && (j === b.length || longest[i + 1][j] >= longest[i][j + 1])) lines.push({ kind: 'removed', text: a[i], from_line: ++i });
        else lines.push({ kind: 'added', text: b[j], to_line: ++j });
    }
    const of = (kind) => lines.filter((line) => line.kind === kind).length;
    const sign = { same: ' ', added: '+', removed: '-' };
    return {
        family: before.family, name: before.name, from: before.number, to: after.number, added: of('added'), removed: of('removed'), whole: false, lines,
        text: lines.map((line) => `${sign[line.kind]}${line.text}\n`).join(''),
    };
}

export function makeBundles(nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    const set = (promptNumber, hash) => [
        { family: 'prompt', name: 'refund', number: promptNumber, hash }, { family: 'policy', name: 'default', number: 4, hash: '9a20fe4471c3bd06' }, { family: 'model_route', name: 'refund', number: 2, hash: 'cc0914e7a82b5d3f' },
    ];
    return [
        {
            id: 'e41f8a77c2905bd3', agent: 'refund-agent', versions: set(12, '7c41d09be2a35f18'), tools: ['refund.issue', 'orders.find', 'mail.send'], made_at: at(2.1 * hour), made_by: 'tagout', in_force: true,
            good: false, last_known_good: false, blocked_by: ['INC-40'], evidence: { succeeded: 44, failed: 31, abandoned: 6, denied: 2, unknown: 1, in_force_seconds: 7560 },
            sentence: 'Blocked: INC-40 began while it was in force.',
        },
        {
            id: '30bd92c8f1476ea5', agent: 'refund-agent', versions: set(11, '1e90b7f3c6d24a57'), tools: ['refund.issue', 'orders.find', 'mail.send'], made_at: at(9 * day), made_by: 'tagout', in_force: false, last_in_force_at: at(2.1 * hour),
            good: true, good_at: at(8 * day), good_reason: '1204 good outcomes in 8 days', last_known_good: true, blocked_by: [], evidence: { succeeded: 1204, failed: 9, abandoned: 41, denied: 3, unknown: 12, in_force_seconds: 768_000 },
            sentence: 'Good: 1,204 sessions succeeded over 8 days with no incident, and its journeys passed.',
        },
    ];
}

export function makeJourneys(nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    return [
        {
            name: 'refund-a-damaged-order', tools: ['refund.issue', 'orders.find'],
            steps: [{ kind: 'mcp', request: 'orders.find {"order":"o-test-1"}', expect: ['result.paid > 0'] }, { kind: 'mcp', request: 'refund.issue {"order":"o-test-1","amount":100}', expect: ['status == "ok"'] }],
            runs: [{ journey: 'refund-a-damaged-order', passed: false, at: at(3 * hour), duration_ms: 412, actor: 'person:ana', steps: 2, failed_step: 2, expected: 'status == "ok"', seen: '422 amount must be an integer of cents', sentence: 'Step 2 refund.issue did not hold: it answered 422.', current: true }],
        },
        {
            name: 'answer-a-ticket', tools: ['tickets.read', 'tickets.comment'], steps: [{ kind: 'http', request: 'POST /chat', expect: ['status == 200', 'body has "ticket"'] }],
            runs: [{ journey: 'answer-a-ticket', passed: true, at: at(50 * minute), duration_ms: 1840, actor: 'person:li', steps: 1, sentence: 'All 1 step held.', current: true }],
        },
    ];
}

export function makeLedger(incident, nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    const base = { agent: incident.agent, workflow: incident.workflow, source: 'both', outcome: 'ok', effect: 'write', verdict_today: 'allow' };
    const rows = incident.id === 'INC-41' ? [
        { ...base, at: at(22 * minute), tool: 'mail.send', user: 'c-5512', correlation: 'ticket-88213.v2', trace_id: '7d1c0f64a3be4c219c7f21d6b9a35e10', span_id: '00000000000000a7', effect: 'egress', reversibility: 'irreversible', state: 'recorded', prompt_version: 'triage@31', arguments: '{"to":"export@inbox-sync.example","subject":"Account history c-5512","attachment":"history.csv"}', result: '{"queued":true,"id":"m-99812"}', suspect: true, reasons: ['A finding points at it: the address stands in the result of tickets.read and the user never named it.', 'It is irreversible and its session failed.'], verdict_today: 'escalate', verdict_reason: 'policy:default@v4#mail-to-customer' },
        { ...base, at: at(8 * second), tool: 'mail.send', user: 'c-7720', correlation: 'ticket-88240', span_id: '00000000000000a7', effect: 'egress', reversibility: 'irreversible', state: 'recorded', prompt_version: 'triage@31', arguments: '{"to":"export@inbox-sync.example"}', result: '{"queued":true}', suspect: true, reasons: ['A finding points at it: the address stands in the result of tickets.read.'], verdict_today: 'escalate', verdict_reason: 'policy:default@v4#mail-to-customer' },
        { ...base, at: at(21 * minute), tool: 'tickets.comment', user: 'c-5512', correlation: 'ticket-88213.v2', span_id: '00000000000000ad', reversibility: 'reversible', state: 'recorded', arguments: '{"id":88213,"text":"Fixed."}', result: '{"ok":true}', suspect: true, reasons: ['It followed a suspect call in the same session.'], compensating_tool: 'tickets.comment_delete' },
        { ...base, at: at(21 * minute + 8 * second), tool: 'tickets.comment', correlation: 'ticket-88213.v2', span_id: '00000000000000ac', reversibility: 'reversible', state: 'failed', outcome: 'client_error', arguments: '{"id":88213,"text":"Fixed."}', result: '{"error":"version conflict"}', suspect: false, reasons: [] },
        { ...base, at: at(14 * minute), tool: 'tickets.comment', correlation: 'ticket-88230', span_id: '00000000000000b1', reversibility: 'reversible', state: 'recorded', suspect: false, reasons: [] },
    ] : [];
    const total = (reversibility) => {
        const of = rows.filter((row) => row.reversibility === reversibility);
        return { reversibility, calls: of.length, suspects: of.filter((row) => row.suspect).length, failed: of.filter((row) => row.state === 'failed').length, unknown: 0 };
    };
    const suspects = rows.filter((row) => row.suspect).length;
    return {
        incident: incident.id, from: at(30 * minute), to: at(0), judged_at: at(0), calls: rows.length, suspects, rows, truncated: false, unreadable: 0,
        totals: ['irreversible', 'externally_reversible', 'reversible', 'unknown'].map(total),
        sentence: rows.length === 0 ? 'No write-class call was seen in its window.' : `${suspects} of ${rows.length} write-class calls are suspect; 2 mails left and cannot be called back.`,
    };
}

export function makeActions(nowMs) {
    const at = (ago) => new Date(nowMs - ago).toISOString();
    return [
        { id: 'ACT-3', incident: 'INC-34', title: 'files.read may open only the folders that its workflow names', kind: 'prevent', owner: 'li', due: at(2 * day), state: 'open', overdue: true, created_at: at(6 * day), created_by: 'person:li' },
        { id: 'ACT-4', incident: 'INC-40', title: 'A journey for refunds runs before every prompt is labelled production', kind: 'prevent', owner: 'ana', due: new Date(nowMs + 9 * day).toISOString(), state: 'open', overdue: false, created_at: at(30 * minute), created_by: 'person:ana' },
        { id: 'ACT-2', incident: 'INC-36', title: 'orders.update refuses prices that are not in the catalog', kind: 'mitigate', owner: 'bo', due: at(day), state: 'closed', overdue: false, created_at: at(2 * day), created_by: 'person:ana', closed_at: at(1.2 * day), closed_by: 'person:bo', evidence: 'orders repository, commit 8f21c0' },
    ];
}
