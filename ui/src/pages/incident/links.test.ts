import { describe, expect, it } from 'vitest';

import { evidenceLink, traceLink } from './links';

describe('links to evidence', () => {
    it('leads to the step of a trace', () => {
        expect(traceLink({ correlation: 'chat/7.a', span_id: 'a7' }, 'INC-1')).toBe('/traces?correlation=chat%2F7.a&step=a7&incident=INC-1');
    });
    it('takes the trace id where there is no correlation', () => {
        expect(traceLink({ correlation: '', trace_id: 'ff' })).toBe('/traces?correlation=ff');
    });
    it.each([
        ['finding:F-1', '#F-1'],
        ['control:CTL-4', '/containment/CTL-4'],
        ['trace:a:b', '/traces?correlation=a%3Ab&incident=INC-1'],
    ])('reads %s', (evidence, to) => expect(evidenceLink(evidence, 'INC-1')?.to).toBe(to));
    it.each(['', 'finding:', 'something', 'http://elsewhere'])('makes no link of "%s"', (evidence) => {
        expect(evidenceLink(evidence, 'INC-1')).toBeNull();
    });
});
