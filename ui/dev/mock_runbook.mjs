// The mock's second half: containment, releases, verification and prevention. Refuses what the server refuses.
import { diffOf, makeActions, makeApprovals, makeBundles, makeControls, makeJourneys, makeLedger, makeVersions } from './fixtures_runbook.mjs';

const ended = ['resolved', 'review', 'closed', 'false_positive', 'merged', 'cancelled'];
const provedAfterMs = 900;

/** `mock` lends what the first half has: state, found, change, required, Refusal, stamp, makeAgents. */
/** The gateway of the server's own process, and two of a fleet: one well, one that went away. */
const pointRows = (revision, at) => [
    {
        name: 'gateway', revision, acknowledged_at: at, remote: false, connected: true, rules: 12, controls: 2, local_controls: 0, lease_over: false, calls: 1840, calls_denied: 96,
        in_flight: 3, records_waiting: 0, records_dropped: 0, time_to_effect_ms: { count: 14, p50: 0.4, p99: 2.1, max: 2.1 },
    },
    {
        name: 'edge-1', revision, acknowledged_at: at, remote: true, connected: true, last_contact: at, version: '0.1.0', address: 'http://10.0.0.4:8322', rules: 12, controls: 2,
        local_controls: 0, lease_over: false, calls: 22110, calls_denied: 411, in_flight: 9, records_waiting: 1, records_dropped: 0, time_to_effect_ms: { count: 14, p50: 6.2, p99: 18.4, max: 18.4 },
    },
    {
        name: 'edge-2', revision: Math.max(0, revision - 1), acknowledged_at: at, remote: true, connected: false, last_contact: at, version: '0.1.0', address: 'http://10.0.0.5:8322', rules: 12,
        controls: 1, local_controls: 0, lease_over: false, calls: 19004, calls_denied: 377, in_flight: 0, records_waiting: 0, records_dropped: 0,
        time_to_effect_ms: { count: 13, p50: 7.0, p99: 21.9, max: 21.9 }, error: `not heard of since ${at}`,
    },
];

export function makeRunbook({ state, found, change, required, Refusal, stamp, empty }) {
    const now = Date.now();
    const controls = empty ? [] : makeControls(now);
    const approvals = empty ? [] : makeApprovals(now);
    const versions = empty ? [] : makeVersions(now);
    const bundles = empty ? [] : makeBundles(now);
    const journeys = empty ? [] : makeJourneys(now);
    const actions = empty ? [] : makeActions(now);
    const reviews = new Map();
    const regressions = [];
    let revision = 11;
    let nextControl = 8;
    const timers = new Set();

    const after = (ms, run) => {
        const timer = setTimeout(() => {
            timers.delete(timer);
            run();
        }, ms);
        timers.add(timer);
    };
    const lookup = (list, id, what) => {
        const each = list.find((one) => one.id === id);
        if (!each) throw new Refusal(404, 'not_found', `there is no ${what} ${id}`);
        return each;
    };
    const tell = (incident, actor, source, kind, text, reason) => {
        const about = incident && state.incidents.find((each) => each.id === incident);
        if (about) change(about, actor, source, kind, text, reason);
    };

    function apply(body, actor) {
        const scope = required(body, 'scope');
        const mode = required(body, 'mode');
        required(body, 'reason');
        const same = controls.find((each) => each.state !== 'released' && each.scope === scope && each.mode === mode);
        if (same) throw new Refusal(409, 'conflict', `${same.id} already holds ${scope} in mode ${mode}; renew it or choose another mode`);
        if (mode === 'route' && !scope.startsWith('workflow:')) throw new Refusal(400, 'invalid_argument', 'mode route is for workflows; use a scope such as workflow:refund');
        revision += 1;
        const asked = Date.now();
        const control = {
            id: `CTL-${nextControl++}`, scope, mode, reason: body.reason, author: actor, ...(body.incident ? { incident: body.incident } : {}), ...(body.route_to ? { route_to: body.route_to } : {}),
            ...(body.allowed ? { allowed: body.allowed } : {}), since: stamp(), requested_at: stamp(), published_at: new Date(asked + 1).toISOString(), review_by: new Date(asked + 4 * 3_600_000).toISOString(),
            state: 'requested', revision, validating: false, calls_refused: 0, acknowledged: { reached: 0, of: 1, away: 0 }, proved: { reached: 0, of: 1 }, points: [{ point: 'gateway', connected: true, roads: 0, probes: [] }],
        };
        controls.unshift(control);
        tell(control.incident, actor, 'containment', 'control.applied', `${control.id}: ${mode} ${scope}`, body.reason);
        // A scope of this name shows what the page does with a point that is away.
        if (scope.includes('unreachable')) {
            control.points[0].error = 'no answer in 3 s';
            return control;
        }
        after(14, () => {
            const at = new Date(asked + 14).toISOString();
            Object.assign(control, { state: 'acknowledged', acknowledged_at: at, time_to_effect_ms: 13.6, acknowledged: { reached: 1, of: 1, away: 0 }, proved: { reached: 1, of: 1 } });
            control.points[0].acknowledged_at = at;
        });
        after(provedAfterMs, () => prove(control));
        return control;
    }

    function prove(control) {
        const at = stamp();
        const passed = control.scope.includes('leaky');
        Object.assign(control, { state: passed ? 'unproved' : 'proved', ...(passed ? {} : { proved_at: at }) });
        Object.assign(control.points[0], {
            ...(passed ? { error: 'the probe on mcp:payments was let through' } : { proved_at: at }),
            probes: [
                { road: 'mcp:payments', reached: true, verdict: passed ? 'allow' : 'deny', ...(passed ? {} : { decided_by: control.id }), detail: passed ? 'the decision let it through' : 'refused before the upstream was asked' },
                { road: 'decide', reached: true, verdict: 'deny', decided_by: control.id, detail: 'refused' },
            ],
        });
        if (!passed) {
            const incident = state.incidents.find((each) => each.id === control.incident);
            tell(control.incident, 'tagout', 'containment', 'control.proved', `${control.id} is proved at 1/1 points, in force after ${control.time_to_effect_ms} ms`);
            if (incident?.state === 'declared') incident.anchors.contain_requested_at ??= control.requested_at;
        }
    }

    const changes = {
        probe: (control) => {
            prove(control);
            return control;
        },
        renew: (control, body) => Object.assign(control, { review_by: required(body, 'review_by') }),
        'request-release': (control, body, actor) => {
            if (control.validating) throw new Refusal(409, 'conflict', `${control.release_requested_by} asked already; a second person may release it`);
            return Object.assign(control, { validating: true, release_requested_by: actor, release_requested_at: stamp(), release_reason: required(body, 'reason') });
        },
        release: (control, body, actor) => {
            required(body, 'reason');
            if (!control.validating) throw new Refusal(409, 'conflict', `nobody asked for the release of ${control.id} yet: request-release first`);
            if ([control.author, control.release_requested_by].includes(actor)) throw new Refusal(401, 'unauthorized', `${actor} may not release ${control.id}: a second person must`);
            const tool = control.scope.replace(/^tool:/, '');
            const naming = journeys.filter(({ tools }) => tools.includes(tool));
            const open = naming.filter(({ runs: [last] }) => !last?.passed || Date.parse(last.at) < Date.parse(control.release_requested_at));
            if (open.length > 0) throw new Refusal(409, 'conflict', `${open.map(({ name }) => name).join(', ')} did not pass since the release was asked for; run \`tagout journeys run --tool ${tool}\``);
            if (naming.length === 0 && !body.without_journeys) throw new Refusal(409, 'conflict', `no journey names ${tool}; add one under 'journeys' in tagout.yaml, or say in 'without_journeys' why it may be released`);
            Object.assign(control, { state: 'released', validating: false, released_by: actor, released_at: stamp() });
            tell(control.incident, actor, 'containment', 'control.released', `${control.id} is released`, body.reason);
            return control;
        },
    };

    function containment(id) {
        const incident = found(id);
        const mine = controls.filter((each) => each.incident === id);
        const scope = incident.tool ? `tool:${incident.tool}` : `agent:${incident.agent}`;
        const mode = incident.class === 'cost' ? 'read_only' : 'stopped';
        const done = mine.find((each) => each.scope === scope && each.state !== 'released');
        return {
            proposals: incident.agent ? [{
                rule: `playbook ${incident.class}/${incident.severity}`, scope, mode, enforcement: 'observe', ...(done ? { control: done.id } : {}),
                sentence: `${mode === 'stopped' ? 'Stop' : 'Make read only'} ${scope.replace(':', ' ')}: calls are refused with the reason and other tools go on. Undo: release it, as two persons.`,
            }] : [],
            controls: mine,
        };
    }

    const freezes = () => state.incidents
        .filter((each) => ['SEV1', 'SEV2'].includes(each.severity) && each.kind === 'real' && !ended.includes(each.state) && each.state !== 'signal')
        .map((each) => ({ incident: each.id, severity: each.severity, title: each.title, ...(each.agent ? { agent: each.agent } : {}), ...(each.workflow ? { workflow: each.workflow } : {}), since: each.anchors.declared_at ?? stamp(), sentence: `Changes of ${each.agent} and ${each.workflow} are refused unless they name ${each.id} or say why they are an emergency.` }));

    function versionOf(family, name, wanted) {
        const version = versions.find((each) => each.family === family && each.name === name && (String(each.number) === wanted.replace(/^v/, '') || (wanted.length >= 4 && each.hash.startsWith(wanted)) || each.labels.includes(wanted)));
        if (!version) throw new Refusal(404, 'not_found', `there is no version ${wanted} of ${family} ${name}; \`tagout catalog versions ${family} ${name}\` lists them`);
        return version;
    }

    function publishVersion(body, actor) {
        const mine = versions.filter((each) => each.family === body.family && each.name === required(body, 'name'));
        const same = mine.find(({ content }) => content === required(body, 'content'));
        const version = same ?? {
            family: required(body, 'family'), name: body.name, number: mine.length + 1, hash: Math.random().toString(16).slice(2, 18).padEnd(16, '0'), author: actor, message: required(body, 'message'),
            created_at: stamp(), labels: [], was_production: body.label === 'production', content: body.content, ...(body.agent ? { agent: body.agent } : {}),
        };
        if (!same) versions.unshift(version);
        if (body.label) {
            for (const each of mine) each.labels = each.labels.filter((label) => label !== body.label);
            version.labels.push(body.label);
        }
        return version;
    }

    function rollback(body, actor) {
        const { family, name, to } = body;
        required(body, 'reason');
        const target = family === 'bundle' ? bundles.find((each) => each.agent === name && (to ? each.id === to : each.last_known_good)) : null;
        const wanted = family === 'bundle' ? target?.versions.find((each) => each.family === 'prompt') : null;
        if (family === 'bundle' && !wanted) throw new Refusal(404, 'not_found', `${name} has no last known good bundle; name one with 'to'`);
        const [f, n] = wanted ? [wanted.family, wanted.name] : [family, name];
        const current = versionOf(f, n, 'production');
        const goal = wanted ? versionOf(f, n, String(wanted.number)) : to ? versionOf(f, n, to) : versions.filter((each) => each.family === f && each.name === n && each.number < current.number)[0];
        const freeze = freezes().find((each) => !current.agent || each.agent === current.agent);
        if (freeze && body.incident !== freeze.incident && !body.emergency) throw new Refusal(409, 'conflict', `${freeze.incident} freezes ${n}: name it in 'incident', or say in 'emergency' why it cannot wait`);
        current.labels = current.labels.filter((label) => label !== 'production');
        goal.labels.push('production');
        const sentence = `${f} ${n}: production moved from v${current.number} to v${goal.number}.`;
        for (const bundle of bundles) bundle.in_force = bundle.versions.some((each) => each.family === f && each.name === n && each.number === goal.number);
        tell(body.incident, actor, 'change', 'label.moved', sentence, body.reason);
        return { family, name, target: to ? 'named' : 'last_known_good', sentence, moves: [{ family: f, name: n, label: 'production', from: current.number, to: goal.number, hash: goal.hash }], ...(body.incident ? { incident: body.incident } : {}) };
    }

    function runJourneys(body, actor) {
        const chosen = journeys.filter(({ name, tools }) => (!body.names || body.names.includes(name)) && (!body.tool || tools.includes(body.tool)));
        const runs = chosen.map((journey) => {
            const run = { journey: journey.name, passed: true, at: stamp(), duration_ms: 380, actor, steps: journey.steps.length, sentence: `All ${journey.steps.length} steps held.`, current: true };
            journey.runs.unshift(run);
            return run;
        });
        return { passed: true, runs };
    }

    function review(id) {
        const incident = found(id);
        const kept = reviews.get(id);
        const fields = kept?.fields ?? { summary: `${incident.title}.`, impact: `${incident.impact.failed_sessions} of ${incident.impact.sessions} sessions failed, ${incident.impact.writes} writes.`, detection: `Noticed by ${incident.signals.join(', ')}.` };
        const mine = actions.filter((each) => each.incident === id);
        const missing = [];
        if (!fields.proximate_trigger) missing.push({ what: 'proximate_trigger', remedy: 'say what set it off' });
        if (!fields.systemic_gap) missing.push({ what: 'systemic_gap', remedy: 'say why the system let it happen; it is not the trigger' });
        if (mine.length === 0) missing.push({ what: 'actions', remedy: 'add one with an owner and a due date' });
        return {
            incident: id, title: incident.title, severity: incident.severity, state: kept?.state ?? 'none', fields, timeline: incident.timeline, anchors: incident.anchors, impact: incident.impact, actions: mine,
            missing: kept?.state === 'published' ? [] : missing, markdown: `# Review of ${id}\n\n${fields.summary}\n`, ...(kept ? kept.times : {}),
        };
    }

    function draft(id, { actor: _actor, reason: _reason, ...fields }, actor) {
        const before = review(id);
        if (before.state === 'published') throw new Refusal(409, 'conflict', `the review of ${id} is published and stays as it is`);
        reviews.set(id, { state: 'draft', fields: { ...before.fields, ...fields }, times: { drafted_at: stamp(), drafted_by: actor } });
        return review(id);
    }

    function publish(id, actor) {
        const before = review(id);
        if (before.missing.length > 0) throw new Refusal(409, 'conflict', before.missing.map(({ what, remedy }) => `${what}: ${remedy}`).join('; '));
        const kept = reviews.get(id) ?? { fields: before.fields, times: {} };
        reviews.set(id, { ...kept, state: 'published', times: { ...kept.times, published_at: stamp(), published_by: actor } });
        tell(id, actor, 'person', 'review.published', 'The review is published');
        found(id).anchors.review_published_at = stamp();
        return review(id);
    }

    function gate(agent, bundle) {
        const open = state.incidents.filter((each) => !ended.includes(each.state) && each.kind === 'real' && (!agent || each.agent === agent));
        const overdue = actions.filter((each) => each.overdue && each.state === 'open');
        const checks = [
            { name: 'open_incidents', verdict: open.length > 0 ? 'fail' : 'pass', sentence: open.length > 0 ? `${open.map(({ id }) => id).join(', ')} open; resolve them first.` : 'No incident is open.' },
            { name: 'overdue_actions', verdict: overdue.length > 0 ? 'fail' : 'pass', sentence: overdue.length > 0 ? `${overdue[0].id} of ${overdue[0].owner} is overdue; close it with evidence.` : 'No corrective action is overdue.' },
            { name: 'recurrence', verdict: 'pass', sentence: 'No cause came back in the last 30 days.' },
            { name: 'regressions', verdict: regressions.length > 0 ? 'pass' : 'inconclusive', sentence: regressions.length > 0 ? 'Every case passes.' : 'There is no regression case of this agent; make one from an incident.' },
        ];
        const verdict = ['fail', 'inconclusive'].find((each) => checks.some((check) => check.verdict === each)) ?? 'pass';
        const against = checks.filter((check) => check.verdict === verdict);
        return { verdict, agent, bundle, checks, sentence: verdict === 'pass' ? 'Every check passes.' : against.map(({ sentence }) => sentence).join(' ') };
    }

    function read(path, query) {
        const [, , room, name, act] = path.split('/').map(decodeURIComponent);
        if (room === 'incidents' && act === 'containment') return containment(name);
        if (room === 'incidents' && act === 'ledger') return makeLedger(found(name), Date.now());
        if (room === 'incidents' && act === 'review') return review(name);
        switch (room) {
            case 'controls':
                if (name) return lookup(controls, name, 'control');
                return { controls: controls.filter((each) => query.get('state') === 'all' || each.state !== 'released'), points: pointRows(revision, stamp()), revision };
            case 'approvals': return { approvals: approvals.filter(({ expires_at }) => Date.parse(expires_at) > Date.now()) };
            case 'versions': {
                if (name) return versions.find((each) => each.hash.startsWith(name));
                return { versions: versions.map(({ content, ...rest }) => rest), total: versions.length };
            }
            case 'diff': return diffOf(versionOf(query.get('family'), query.get('name'), query.get('from')), versionOf(query.get('family'), query.get('name'), query.get('to')));
            case 'bundles': return { bundles };
            case 'freezes': return { freezes: freezes() };
            case 'journeys': return { journeys };
            case 'evidence': return { algorithm: 'ed25519', public_key: 'ab'.repeat(32), fingerprint: '5f0c9d2e41ab7786' };
            case 'regressions': {
                if (name) return { ...lookup(regressions, name, 'regression case'), turns: [] };
                return { regressions: regressions.filter((each) => !query.get('incident') || each.incident === query.get('incident')) };
            }
            case 'reviews': return { reviews: [...reviews.keys()].map((id) => { const { incident, title, severity, state: standing, drafted_at, drafted_by, published_at, published_by } = review(id); return { incident, title, severity, state: standing, drafted_at, drafted_by, published_at, published_by }; }) };
            case 'actions': {
                const wanted = query.get('state') ?? 'all';
                return { actions: actions.filter((each) => (!query.get('incident') || each.incident === query.get('incident')) && (wanted === 'all' || (wanted === 'overdue' ? each.overdue && each.state === 'open' : each.state === wanted))) };
            }
            case 'gate': return gate(query.get('agent') ?? '', query.get('bundle') ?? '');
            default: return undefined;
        }
    }

    function write(path, body, actor) {
        const [, , room, name, act, more] = path.split('/').map(decodeURIComponent);
        if (room === 'controls') return name ? changes[act](lookup(controls, name, 'control'), body, actor) : apply(body, actor);
        if (room === 'approvals') {
            const approval = lookup(approvals, name, 'waiting call');
            approvals.splice(approvals.indexOf(approval), 1);
            return approval;
        }
        if (room === 'versions') return publishVersion(body, actor);
        if (room === 'rollback') return rollback(body, actor);
        if (room === 'bundles') return bundles.find((each) => each.agent === required(body, 'agent') && each.in_force);
        if (room === 'journeys' && name === 'run') return runJourneys(body, actor);
        if (room === 'actions') {
            if (name) return Object.assign(lookup(actions, name, 'action'), { state: 'closed', overdue: false, closed_at: stamp(), closed_by: actor, evidence: required(body, 'evidence') });
            const action = { id: `ACT-${actions.length + 2}`, incident: found(required(body, 'incident')).id, title: required(body, 'title'), kind: required(body, 'kind'), owner: required(body, 'owner'), due: required(body, 'due'), state: 'open', overdue: Date.parse(body.due) < Date.now(), created_at: stamp(), created_by: actor };
            actions.unshift(action);
            return action;
        }
        if (room === 'incidents' && act === 'review') return more === 'publish' ? publish(name, actor) : draft(name, body, actor);
        if (room === 'incidents' && act === 'regressions') {
            const incident = found(name);
            const made = { id: `REG-${regressions.length + 1}`, incident: name, title: incident.title, class: incident.class, cause: incident.cause ?? '', agent: incident.agent ?? '', created_at: stamp(), created_by: actor, reason: required(body, 'reason'), signals: incident.signals, versions: { prompt: 'triage@31' }, sessions: 2, harmful_calls: 2 };
            regressions.unshift(made);
            return made;
        }
        if (room === 'incidents' && act === 'evidence') {
            found(name);
            required(body, 'reason');
            tell(name, actor, 'verification', 'evidence.exported', 'Evidence was exported', body.reason);
            return { file: Buffer.from('a pack of the mock'), name: `${name}.tar`, sha256: 'c0ffee'.padEnd(64, '0') };
        }
        return undefined;
    }

    const stop = () => timers.forEach((timer) => clearTimeout(timer));
    return { read, write, stop };
}
