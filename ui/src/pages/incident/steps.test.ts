import { describe, expect, it } from 'vitest';

import { intervalsOf, stepsOf } from './steps';

const standings = (...args: Parameters<typeof stepsOf>): string => stepsOf(...args).map(({ standing }) => standing[0]).join('');

describe('stepsOf', () => {
    it.each([
        ['a signal', 'signal', {}, 'caaaaaaaa'],
        ['declared after triage', 'declared', { signal_at: 'a', triage_at: 'b', declared_at: 'c' }, 'ddcaaaaaa'],
        ['resolved without containment', 'resolved', { signal_at: 'a', triage_at: 'b', declared_at: 'c', resolved_at: 'd' }, 'dddssscaa'],
        ['a false positive keeps what it reached', 'false_positive', { signal_at: 'a', triage_at: 'b' }, 'ddaaaaaaa'],
        ['reopened: what came after is ahead again', 'declared', { signal_at: 'a', triage_at: 'b', declared_at: 'c', resolved_at: 'd' }, 'ddcaaaaaa'],
    ] as const)('%s', (_name, state, anchors, wanted) => expect(standings(state, anchors)).toBe(wanted));
    it('shows no time on a node that is ahead', () => {
        expect(stepsOf('declared', { resolved_at: 'd' })[6]?.at).toBeUndefined();
    });
});

describe('intervalsOf', () => {
    it('leaves out what has not begun, and keeps what runs', () => {
        expect(intervalsOf({ signal_at: 'a' }).map(({ label }) => label)).toEqual(['To contain', 'To recover']);
        expect(intervalsOf({ onset_at: 'a', signal_at: 'b' })[0]).toMatchObject({ label: 'To detect', from: 'a', to: 'b' });
    });
});
