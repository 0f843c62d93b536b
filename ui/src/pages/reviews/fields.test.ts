import { describe, expect, it } from 'vitest';

import { changedFields, fieldsOfReview, missingTitle } from './fields';

describe('missingTitle', () => {
    it.each([
        ['systemic_gap', 'Systemic gap'],
        ['resolved', 'The end of the incident'],
        ['something_new', 'Something new'],
    ])('%s is called %s', (what, title) => expect(missingTitle(what)).toBe(title));
});

describe('changedFields', () => {
    it.each([
        ['nothing', { summary: 'a' }, { summary: 'a' }, {}],
        ['a new field', {}, { systemic_gap: 'b' }, { systemic_gap: 'b' }],
        ['an emptied field is sent as empty', { summary: 'a' }, { summary: '' }, { summary: '' }],
        ['empty and absent are the same', { summary: '' }, {}, {}],
    ])('%s', (_name, before, after, changed) => expect(changedFields(before, after)).toEqual(changed));
    it('knows every field once', () => expect(new Set(fieldsOfReview.map(({ name }) => name)).size).toBe(fieldsOfReview.length));
});
