import { describe, expect, it } from 'vitest';

import { filterOf, withPart } from './filter';

describe('filterOf', () => {
    it.each([
        ['nothing asks for the server\'s own choice', '', {}],
        ['open states by one word', 'state=open', { state: 'triage,declared,contained,recovering,verifying' }],
        ['all parts', 'state=all&class=tool&severity=SEV1&kind=drill&text=%20refund', { state: 'all', class: 'tool', severity: 'SEV1', kind: 'drill', text: 'refund' }],
        ['what is no class, severity, kind or state is left out', 'state=x&class=y&severity=SEV9&kind=z&text=%20', {}],
    ])('%s', (_name, query, filter) => expect(filterOf(new URLSearchParams(query))).toEqual(filter));
    it('cuts a text that the API would refuse', () => {
        expect(filterOf(new URLSearchParams({ text: 'a'.repeat(300) })).text).toHaveLength(200);
    });
});

describe('withPart', () => {
    it('sets, replaces and takes away, and leaves the rest', () => {
        const query = new URLSearchParams('class=tool&text=a');
        expect(withPart(query, 'text', 'b').toString()).toBe('class=tool&text=b');
        expect(withPart(query, 'text', '').toString()).toBe('class=tool');
        expect(query.toString()).toBe('class=tool&text=a');
    });
});
