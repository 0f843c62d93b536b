import { describe, expect, it } from 'vitest';

import type { Freeze, Version } from '../api/types';
import { freezeOf, linesOf, sideBySide } from './releases';

const version = (family: Version['family'], name: string, number: number, labels: string[] = [], more: Partial<Version> = {}): Version => ({
    family, name, number, hash: `${name}${number}`, author: 'person:ana', message: 'm', created_at: '2026-11-24T04:00:00Z', labels, ...more,
});

describe('linesOf', () => {
    it('groups by family and name, newest first, prompts before policies', () => {
        const lines = linesOf([version('policy', 'default', 1, ['production']), version('prompt', 'b', 1), version('prompt', 'a', 1, ['production']), version('prompt', 'a', 2, [], { agent: 'x' })]);
        expect(lines.map(({ family, name }) => `${family} ${name}`)).toEqual(['prompt a', 'prompt b', 'policy default']);
        expect(lines[0]).toMatchObject({ agent: 'x', production: { number: 1 } });
        expect(lines[0]?.versions.map(({ number }) => number)).toEqual([2, 1]);
        expect(lines[1]?.production).toBeUndefined();
    });
});

describe('freezeOf', () => {
    const freeze = (more: Partial<Freeze>): Freeze => ({ incident: 'INC-1', severity: 'SEV1', title: 't', since: '2026-11-24T04:00:00Z', sentence: 's', ...more });
    it.each([
        ['its agent', { agent: 'a' }, { agent: 'a' }, true],
        ['another agent', { agent: 'b' }, { agent: 'a' }, false],
        ['its workflow', { agent: 'b', workflow: 'w' }, { agent: 'a', workflow: 'w' }, true],
        ['an incident that names nobody freezes all', { agent: 'b' }, {}, true],
        ['what belongs to nobody is frozen by any', {}, { agent: 'a' }, true],
    ])('%s', (_name, subject, of, frozen) => expect(freezeOf(subject, [freeze(of)]) !== undefined).toBe(frozen));
    it('is none without a freeze', () => expect(freezeOf({ agent: 'a' }, [])).toBeUndefined());
});

describe('sideBySide', () => {
    const line = (kind: 'same' | 'added' | 'removed' | 'gap', text: string) => ({ kind, text });
    const shown = (...args: Parameters<typeof sideBySide>): string[] =>
        sideBySide(...args).map(({ before, after, gap }) => (gap ? '...' : `${before?.text ?? ''}|${after?.text ?? ''}`));
    it('puts what was added beside what was removed', () =>
        expect(shown([line('same', 'a'), line('removed', 'b'), line('removed', 'c'), line('added', 'B'), line('same', 'd')])).toEqual(['a|a', 'b|B', 'c|', 'd|d']));
    it('keeps lines that only came or only went', () => expect(shown([line('added', 'x'), line('same', 'a'), line('removed', 'y')])).toEqual(['|x', 'a|a', 'y|']));
    it('begins a new pair when something is removed after something was added', () =>
        expect(shown([line('added', 'x'), line('removed', 'y')])).toEqual(['|x', 'y|']));
    it('marks a gap', () => expect(shown([line('same', 'a'), line('gap', '40 lines'), line('same', 'z')])).toEqual(['a|a', '...', 'z|z']));
});
