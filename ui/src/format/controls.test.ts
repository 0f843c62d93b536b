import { describe, expect, it } from 'vitest';

import type { Agent, Control } from '../api/types';
import { controlVerb, globalMode, hitsOf, proofOf, scopeParts, scopeText, who } from './controls';
import { recommend } from './recommend';

const control = (more: Partial<Control> = {}): Control => ({
    id: 'CTL-1', scope: 'tool:pay', mode: 'stopped', reason: 'r', author: 'person:ana', since: '2026-11-24T04:00:00Z', review_by: '2026-11-24T08:00:00Z', review: 'ahead',
    state: 'proved', requested_at: '2026-11-24T04:00:00Z', revision: 1, points: [], acknowledged: { reached: 1, of: 1, away: 0 }, proved: { reached: 1, of: 1 }, validating: false, stage: 'none', calls_refused: 0,
    time_to_effect_ms: 12.4, ...more,
});

const agent = (name: string, tools: Agent['tools'], more: Partial<Agent> = {}): Agent => ({
    name, configured: true, owner: {}, workflows: ['refund'], models: [], services: [], tools, last_seen_at: '2026-11-24T04:00:00Z', sessions_last_hour: 10, failed_last_hour: 2, calls_last_hour: 0, unseen_last_hour: 0, unseen_tools: [], ...more,
});
const tool = (name: string, effect: 'read' | 'write' | 'egress' | 'unknown', risk: 'low' | 'high' = 'low') => ({ name, effect, risk, configured: true });

describe('scopes', () => {
    it.each([
        ['tool:payments.refund', 'tool payments.refund'],
        ['agent:refund-*', 'agent refund-*'],
        ['mcp_server:payments', 'MCP server payments'],
        ['tool_class:high_risk', 'all high risk tools'],
        ['session:a:b', 'session a:b'],
        ['global', 'everything'],
    ])('%s reads as %s', (scope, text) => expect(scopeText(scope)).toBe(text));
    it('splits at the first colon only', () => expect(scopeParts('session:a:b')).toEqual({ kind: 'session', name: 'a:b' }));
    it('says what the button does', () => {
        expect(controlVerb('stopped', 'tool:payments.refund')).toBe('Stop tool payments.refund');
        expect(controlVerb('route', 'workflow:refund', 'refund-by-hand')).toBe('Route workflow refund to refund-by-hand');
        expect(controlVerb('route', 'workflow:refund')).toBe('Route workflow refund to a fallback');
    });
    it('calls people by their name and the program by its own', () => expect([who('person:ana'), who('tagout'), who(undefined)]).toEqual(['ana', 'tagout', '']));
});

describe('proof', () => {
    it.each([
        ['proved', control(), 'good', 'In force in 12 ms, and a probe was refused at the enforcement point.'],
        ['many points', control({ acknowledged: { reached: 3, of: 3, away: 0 } }), 'good', 'In force in 12 ms, and a probe was refused at all 3 enforcement points.'],
        ['proved where it could be', control({ acknowledged: { reached: 2, of: 3, away: 1 }, proved: { reached: 2, of: 3 } }), 'bad', 'In force in 12 ms and proved at every connected point. 1 of 3 points is not connected: what it lets pass is not known.'],
        ['two are away', control({ state: 'acknowledged', acknowledged: { reached: 1, of: 3, away: 2 } }), 'bad', 'In force at every connected point in 12 ms. 2 of 3 points are not connected: what they let pass is not known.'],
        ['observing refuses nothing', control({ mode: 'observe' }), 'good', 'It observes at the enforcement point; nothing is refused.'],
        ['waiting', control({ state: 'requested', acknowledged: { reached: 0, of: 1, away: 0 } }), 'moving', 'Requested. Waiting for the enforcement points.'],
        ['a point that is away', control({ state: 'requested', points: [{ point: 'gateway', connected: true, roads: 1, error: 'no answer in 3 s', probes: [] }] }), 'bad', 'gateway did not acknowledge: no answer in 3 s'],
        ['nothing enforces it', control({ state: 'requested', acknowledged: { reached: 0, of: 0, away: 0 } }), 'bad', 'No gateway is connected, so nothing enforces it. Calls pass.'],
        ['acknowledged', control({ state: 'acknowledged' }), 'moving', 'In force at every point in 12 ms. A probe is on its way to prove it.'],
        ['what redacts lets the probe through', control({ mode: 'redact' }), 'good', 'In force in 12 ms, and a probe came through redacted at the enforcement point.'],
        ['what routes sends it elsewhere', control({ mode: 'route' }), 'good', 'In force in 12 ms, and a probe was sent elsewhere at the enforcement point.'],
        ['a throttle waits for no probe', control({ mode: 'throttle', state: 'acknowledged' }), 'good', 'In force at every point in 12 ms. No probe is one call too many: the calls that it refuses are its proof.'],
        ['a probe passed', control({ state: 'unproved', points: [{ point: 'gateway', connected: true, roads: 1, error: 'the probe was let through', probes: [] }] }), 'bad', 'gateway: the probe was let through'],
        ['unproved without a word', control({ state: 'unproved' }), 'bad', 'A probe got through or could not be sent. Do not trust this stop: look at its points.'],
        ['released', control({ state: 'released' }), 'quiet', 'It is not in force any more.'],
    ])('%s', (_name, given, tone, sentence) => expect(proofOf(given)).toMatchObject({ tone, sentence }));
});

describe('the global mode', () => {
    it.each([
        ['nothing', [], 'good', 'No controls'],
        ['released and observing ones restrict nothing', [control({ state: 'released' }), control({ mode: 'observe' })], 'good', 'No controls'],
        ['some', [control(), control({ id: 'CTL-2' })], 'warn', '2 controls'],
        ['one that is not proved', [control({ state: 'unproved' })], 'bad', '1 unproved'],
        ['everything', [control({ scope: 'global' }), control()], 'bad', 'All stopped'],
        ['global but only read only', [control({ scope: 'global', mode: 'read_only' })], 'warn', '1 control'],
    ] as const)('%s', (_name, controls, tone, label) => expect(globalMode(controls)).toMatchObject({ tone, label }));
});

describe('what a stop hits', () => {
    const agents = [
        agent('refund-agent', [tool('refund.issue', 'write', 'high'), tool('orders.find', 'read')]),
        agent('support', [tool('mail.send', 'egress'), tool('odd', 'unknown')], { workflows: ['reply'], sessions_last_hour: 4, failed_last_hour: 0 }),
    ];
    it.each([
        ['tool:refund.issue', ['refund-agent'], ['refund.issue']],
        ['tool:refund.*', ['refund-agent'], ['refund.issue']],
        ['tool:refund', [], []],
        ['agent:*', ['refund-agent', 'support'], ['refund.issue', 'orders.find', 'mail.send', 'odd']],
        ['agent:suppor?', ['support'], ['mail.send', 'odd']],
        ['workflow:reply', ['support'], ['mail.send', 'odd']],
        // What is not known counts as a write wherever writes are refused.
        ['tool_class:write', ['refund-agent', 'support'], ['refund.issue', 'odd']],
        ['tool_class:high_risk', ['refund-agent'], ['refund.issue']],
        ['global', ['refund-agent', 'support'], ['refund.issue', 'orders.find', 'mail.send', 'odd']],
    ])('%s', (scope, hit, tools) => expect(hitsOf(scope, agents)).toMatchObject({ agents: hit, tools }));
    it('adds up their sessions', () => expect(hitsOf('global', agents)).toMatchObject({ sessionsLastHour: 14, failedLastHour: 2 }));
    it('does not guess where telemetry cannot tell', () => expect(hitsOf('session:a', agents)).toBeNull());
});

describe('the recommended stop', () => {
    const incident = { state: 'declared' as const, tool: 'mail.send', agent: 'support' };
    const proposal = { rule: 'playbook safety/SEV1', scope: 'tool_class:egress', mode: 'stopped' as const, enforcement: 'observe' as const, sentence: 'Stop what leaves.' };
    it('is what the playbook proposes', () => expect(recommend(incident, [proposal])).toEqual({ scope: 'tool_class:egress', mode: 'stopped', why: 'Stop what leaves.' }));
    it('passes over what only observes or cannot be done', () => {
        expect(recommend(incident, [{ ...proposal, mode: 'observe' }, { rule: 'x', enforcement: 'enforce', sentence: 'No tool is named.' }])?.scope).toBe('tool:mail.send');
    });
    it('takes the tool, else the agent, else nothing', () => {
        expect(recommend(incident, [])?.scope).toBe('tool:mail.send');
        expect(recommend({ state: 'declared', agent: 'support' }, [])?.scope).toBe('agent:support');
        expect(recommend({ state: 'declared' }, [])).toBeNull();
    });
    it.each(['recovering', 'verifying', 'resolved', 'closed'] as const)('offers none when %s', (state) => expect(recommend({ ...incident, state }, [proposal])).toBeNull());
});
