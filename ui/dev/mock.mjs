// A stand-in for the server, for developing the page and testing it alone: `npm run mock`.
// It answers the contract's routes from dev/fixtures.mjs, keeps changes in memory, streams, and serves
// ui/dist with the headers of the real server. Not a simulation: it detects nothing.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { makeRunbook } from './mock_runbook.mjs';
import { makeAgents, makeBoard, makeNotices, makeState, makeTrace, settings } from './fixtures.mjs';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const policy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const spine = ['signal', 'triage', 'declared', 'contained', 'recovering', 'verifying', 'resolved', 'review', 'closed'];
const ended = ['resolved', 'review', 'closed', 'false_positive', 'merged', 'cancelled'];
const bodyMax = 1 << 20;
const created = /^\/v1\/(incidents|controls|versions|bundles|actions|incidents\/[^/]+\/regressions)$/;

class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        Object.assign(this, { status, code });
    }
}

function movesFrom(state) {
    const at = spine.indexOf(state);
    if (at >= 0 && at < 6) {
        return [...spine.slice(at + 1, 7).filter((next) => next !== 'triage' || state === 'signal'), 'false_positive', 'cancelled'];
    }
    return { resolved: ['review', 'closed', 'declared'], review: ['closed', 'declared'], closed: ['declared'], false_positive: ['declared'], cancelled: ['declared'] }[state] ?? [];
}

const anchorOf = { triage: 'triage_at', declared: 'declared_at', contained: 'contained_at', recovering: 'recovery_started_at', verifying: 'recovered_at', resolved: 'resolved_at', closed: 'closed_at' };

export function startMock({ port = 0, token = 'tagout_dev', quiet = false, empty = false } = {}) {
    const state = makeState(Date.now());
    if (empty) {
        state.incidents.length = 0;
        state.journal.length = 0;
    }
    const notices = empty ? [] : makeNotices(Date.now());
    const streams = new Set();
    let items = empty ? 0 : 1_482_200;
    let beats = 0;
    let nextId = 42;

    const stamp = () => new Date().toISOString();
    const summary = ({ findings, timeline, ...rest }) => rest;
    const full = (incident) => ({ ...incident, moves: movesFrom(incident.state) });
    const publish = (event, value) => {
        for (const stream of streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
    };

    function now() {
        const open = state.incidents
            .filter((each) => !ended.includes(each.state) && each.state !== 'signal')
            .sort((a, b) => a.severity.localeCompare(b.severity));
        const counts = { SEV1: 0, SEV2: 0, SEV3: 0 };
        for (const each of open) counts[each.severity] += 1;
        const hour = Date.now() - 3_600_000;
        return {
            at: stamp(),
            sentence: open[0]
                ? `${open[0].severity}: ${open[0].title} - still going on.`
                : items === 0 ? 'No telemetry has arrived yet.' : 'All is well: no open incident.',
            open: counts, incidents: open.map(summary),
            intake: { items_total: items, items_per_second: items === 0 ? 0 : 410 + 60 * Math.sin(beats / 9) + 18 * Math.sin(beats), rejected_total: empty ? 0 : 12, shed_total: 0, ...(items ? { last_received_at: stamp() } : {}) },
            sessions: empty ? { live: 0, succeeded: 0, failed: 0, abandoned: 0, denied: 0, unknown: 0 } : { live: 37, succeeded: 1904, failed: 62, abandoned: 118, denied: 9, unknown: 71 },
            classes: ['intent', 'tool', 'context', 'safety', 'cost'].map((name) => ({
                class: name, open: open.filter((each) => each.class === name).length,
                findings_last_hour: state.incidents.filter((each) => each.class === name && Date.parse(each.last_finding_at) > hour).reduce((sum, each) => sum + each.finding_count, 0),
            })),
        };
    }

    function change(incident, actor, source, kind, text, reason) {
        const sequence = state.entry(0, kind, incident.id, actor, reason ?? '', { text });
        state.journal.at(-1).recorded_at = state.journal.at(-1).occurred_at = stamp();
        incident.revision = sequence;
        incident.timeline.push({ sequence, occurred_at: stamp(), recorded_at: stamp(), kind, source, actor, text, ...(reason ? { reason } : {}) });
        publish('incident', summary(incident));
        publish('now', now());
        return full(incident);
    }

    const found = (id) => {
        const incident = state.incidents.find((each) => each.id === id);
        if (!incident) throw new Refusal(404, 'not_found', `there is no incident ${id}; \`tagout incidents list --state all\` shows all`);
        return incident;
    };
    const required = (body, name) => {
        if (!body[name]) throw new Refusal(400, 'invalid_argument', `'${name}' is missing; say it in the body`);
        return body[name];
    };

    function moveTo(incident, to, actor, reason) {
        const moves = movesFrom(incident.state);
        if (!moves.includes(to)) throw new Refusal(409, 'conflict', `${incident.id} is ${incident.state} and may go to: ${moves.join(', ')}`);
        const from = incident.state;
        incident.state = to;
        if (anchorOf[to]) incident.anchors[anchorOf[to]] ??= stamp();
        return change(incident, actor, 'state', 'incident.state', `${from} to ${to}`, reason);
    }

    const acts = {
        confirm: (incident, body, actor) => moveTo(incident, 'declared', actor, body.reason),
        ack: (incident, body, actor) => {
            incident.acked_by = actor;
            incident.anchors.acked_at ??= stamp();
            return change(incident, actor, 'person', 'incident.acked', `Acknowledged by ${actor.replace(/^\w+:/, '')}`, body.reason);
        },
        notes: (incident, body, actor) => change(incident, actor, 'person', 'incident.note', required(body, 'text')),
        assign: (incident, body, actor) => {
            incident.assignee = required(body, 'to');
            return change(incident, actor, 'person', 'incident.assigned', `Assigned to ${body.to}`, body.reason);
        },
        severity: (incident, body, actor) => {
            const from = incident.severity;
            incident.severity = required(body, 'severity');
            incident.severity_reason = `Set by ${actor}: ${required(body, 'reason')}`;
            return change(incident, actor, 'state', 'incident.severity', `Severity ${from} to ${body.severity}`, body.reason);
        },
        anchor: (incident, body, actor) => {
            incident.anchors[`${required(body, 'anchor')}_at`] = required(body, 'at');
            return change(incident, actor, 'person', 'incident.anchor', `Time of ${body.anchor} set to ${body.at}`, required(body, 'reason'));
        },
        merge: (incident, body, actor) => {
            const into = found(required(body, 'into'));
            if (into === incident) throw new Refusal(400, 'invalid_argument', 'an incident cannot be merged into itself');
            incident.state = 'merged';
            incident.merged_into = into.id;
            change(into, actor, 'state', 'incident.merged', `${incident.id} was merged into this`);
            return change(incident, actor, 'state', 'incident.merged', `Merged into ${into.id}`, body.reason);
        },
        move: (incident, body, actor) => moveTo(incident, required(body, 'to'), actor, required(body, 'reason')),
    };

    function declare(body, actor) {
        const incident = {
            id: `INC-${nextId++}`, revision: 0, title: required(body, 'title'), class: required(body, 'class'), kind: body.kind ?? 'real', state: 'declared',
            severity: body.severity ?? 'SEV3', severity_reason: 'Declared by hand', ...(body.agent ? { agent: body.agent } : {}), ...(body.tool ? { tool: body.tool } : {}), owner: {},
            anchors: { onset_at: stamp(), declared_at: stamp() }, impact: { sessions: 0, failed_sessions: 0, users: 0, writes: 0, tokens: 0, cost_usd: 0 },
            signals: [], finding_count: 0, last_finding_at: stamp(), findings: [], timeline: [],
        };
        state.incidents.unshift(incident);
        return change(incident, actor, 'state', 'incident.opened', 'Declared by hand', required(body, 'reason'));
    }

    function list(query) {
        const wanted = query.get('state');
        const states = wanted === 'all' ? null : wanted ? wanted.split(',') : ['triage', 'declared', 'contained', 'recovering', 'verifying', 'resolved', 'review', 'closed'];
        const text = (query.get('text') ?? '').toLowerCase();
        const rows = state.incidents.filter((each) =>
            (!states || states.includes(each.state)) &&
            ['class', 'severity', 'kind'].every((name) => !query.get(name) || each[name] === query.get(name)) &&
            [each.id, each.title, each.agent, each.tool, each.owner.team].join(' ').toLowerCase().includes(text));
        return { incidents: rows.slice(0, Number(query.get('limit') ?? 100)).map(summary), total: rows.length };
    }

    const runbook = makeRunbook({ state, found, change, required, Refusal, stamp, empty });

    function read(path, query) {
        const later = runbook.read(path, query);
        if (later) return later;
        const [, , room, name] = path.split('/').map(decodeURIComponent);
        switch (room) {
            case 'now': return now();
            case 'incidents': return name ? full(found(name)) : list(query);
            case 'traces': {
                const trace = makeTrace(name, state.incidents, Date.now());
                if (!trace) throw new Refusal(404, 'not_found', `no telemetry is stored for '${name}'; it may have passed its retention, or the id is of another server`);
                return trace;
            }
            case 'classes': {
                if (!['intent', 'tool', 'context', 'safety', 'cost'].includes(name)) throw new Refusal(404, 'not_found', `there is no class '${name}'; use one of intent, tool, context, safety, cost`);
                const board = makeBoard(name, state.incidents, Date.now());
                return { ...board, incidents: board.incidents.map(summary), ...(empty ? { outcomes: [], signals: board.signals.map((s) => ({ ...s, points: [] })) } : {}) };
            }
            case 'agents': return { agents: empty ? [] : makeAgents(Date.now()) };
            case 'notices': return { notices: notices.filter((each) => !query.get('incident') || each.incident === query.get('incident')) };
            case 'journal': {
                const from = Number(query.get('from') ?? 1);
                const limit = Number(query.get('limit') ?? 100);
                const rows = state.journal.filter((each) => each.sequence >= from);
                return { entries: rows.slice(0, limit), ...(rows.length > limit ? { next: rows[limit].sequence } : {}) };
            }
            case 'settings': return { settings };
            case 'token': return { name: 'admin', role: 'admin' };
            default: throw new Refusal(404, 'not_found', `there is no ${path}`);
        }
    }

    function write(path, body, actor) {
        const later = runbook.write(path, body, actor);
        if (later) return later;
        const [, , room, name, act] = path.split('/').map(decodeURIComponent);
        if (room === 'incidents' && !name) return declare(body, actor);
        if (room === 'incidents' && acts[act]) return acts[act](found(name), body, actor);
        if (room === 'notices' && name === 'test') {
            if (!['support-slack', 'payments-page', 'search-hook', 'alertmanager'].includes(body.channel)) throw new Refusal(404, 'not_found', `there is no channel '${body.channel}'; the configuration names support-slack, payments-page, search-hook, alertmanager`);
            const notice = { id: `N-${notices.length + 20}`, incident: '', channel: body.channel, type: 'webhook', event: 'test', state: 'delivered', attempts: 1, last_status: 200, created_at: stamp(), delivered_at: stamp() };
            notices.unshift(notice);
            return notice;
        }
        throw new Refusal(404, 'not_found', `there is no ${path}`);
    }

    function serveFile(path, response) {
        const wanted = normalize(join(dist, path));
        const isFile = wanted.startsWith(dist) && existsSync(wanted) && statSync(wanted).isFile();
        if (!isFile && extname(path)) throw new Refusal(404, 'not_found', `there is no ${path}`);
        const file = isFile ? wanted : join(dist, 'index.html');
        if (!existsSync(file)) throw new Refusal(404, 'not_found', 'ui/dist is not built: npm run build');
        response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': policy });
        createReadStream(file).pipe(response);
    }

    function authorised(request) {
        if (request.headers.authorization === `Bearer ${token}`) return;
        throw new Refusal(401, 'unauthorized', request.headers.authorization
            ? 'this token is not accepted; the right one is in the file admin.token of the data folder'
            : 'a change needs the header Authorization: Bearer TOKEN; the token is in the file admin.token of the data folder');
    }

    async function bodyOf(request) {
        let text = '';
        for await (const piece of request) {
            text += piece;
            if (text.length > bodyMax) throw new Refusal(413, 'limit_exceeded', 'the body is too large');
        }
        try {
            return JSON.parse(text || '{}');
        } catch {
            throw new Refusal(400, 'invalid_argument', 'the body is not JSON');
        }
    }

    async function answer(request, response) {
        const { pathname, searchParams } = new URL(request.url, 'http://mock');
        if (pathname === '/v1/stream') {
            response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
            response.write(': connected\nretry: 1000\n\n');
            streams.add(response);
            request.on('close', () => streams.delete(response));
            return;
        }
        if (!pathname.startsWith('/v1/')) {
            serveFile(pathname, response);
            return;
        }
        if (request.method !== 'GET' || pathname === '/v1/token') authorised(request);
        let value;
        if (request.method === 'GET') value = read(pathname, searchParams);
        else {
            const body = await bodyOf(request);
            value = write(pathname, body, body.actor ? `person:${body.actor}` : 'token:admin');
        }
        if (value.file) {
            response.writeHead(200, { 'Content-Type': 'application/x-tar', 'Content-Disposition': `attachment; filename="${value.name}"`, 'Tagout-Pack-Sha256': value.sha256 });
            response.end(value.file);
            return;
        }
        response.writeHead(created.test(pathname) && request.method === 'POST' ? 201 : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
        response.end(JSON.stringify(value));
    }

    const server = createServer((request, response) => {
        answer(request, response).catch((cause) => {
            const known = cause instanceof Refusal;
            if (!known) console.error(cause);
            response.writeHead(known ? cause.status : 500, { 'Content-Type': 'application/json' });
            response.end(JSON.stringify({ error: { code: known ? cause.code : 'corrupt', message: cause.message } }));
        });
    });
    const beat = setInterval(() => {
        beats += 1;
        if (!empty) {
            items += 430;
            const worst = state.incidents.find((each) => each.id === 'INC-41');
            if (worst?.state === 'declared' && beats % 20 === 0) {
                worst.last_finding_at = stamp();
                worst.finding_count += 1;
                publish('incident', summary(worst));
            }
        }
        publish('now', now());
    }, 1000);
    return new Promise((resolve) => {
        server.listen(port, '127.0.0.1', () => {
            const url = `http://127.0.0.1:${server.address().port}`;
            if (!quiet) console.log(`mock at ${url}, token ${token}`);
            resolve({
                url, token,
                close: () => {
                    clearInterval(beat);
                    runbook.stop();
                    for (const stream of streams) stream.destroy();
                    server.close();
                },
            });
        });
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    await startMock({ port: Number(process.env.PORT ?? 8399), token: process.env.TAGOUT_TOKEN ?? 'tagout_dev', empty: process.env.MOCK_EMPTY === '1' });
}
