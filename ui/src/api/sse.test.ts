import { describe, expect, it } from 'vitest';

import { EventReader, backoffMaxMs, backoffMs } from './sse';

describe('EventReader', () => {
    it('reads an event and its data', () => {
        expect(new EventReader().take('event: now\ndata: {"a":1}\n\n')).toEqual([{ event: 'now', data: '{"a":1}' }]);
    });
    it('waits for the rest of an event that came in pieces', () => {
        const reader = new EventReader();
        expect(reader.take('event: inci')).toEqual([]);
        expect(reader.take('dent\ndata: {')).toEqual([]);
        expect(reader.take('}\n')).toEqual([]);
        expect(reader.take('\n')).toEqual([{ event: 'incident', data: '{}' }]);
    });
    it('joins the lines of one datum and knows every line end', () => {
        expect(new EventReader().take('data: a\r\ndata: b\r\n\r\ndata:c\n\n')).toEqual([
            { event: 'message', data: 'a\nb' },
            { event: 'message', data: 'c' },
        ]);
    });
    it('makes no event of comments, retry lines and empty blocks', () => {
        expect(new EventReader().take(': still here\n\nretry: 1000\n\nevent: now\n\n')).toEqual([]);
    });
    it('does not carry the name of an event over to the next', () => {
        expect(new EventReader().take('event: now\ndata: 1\n\ndata: 2\n\n')).toEqual([
            { event: 'now', data: '1' },
            { event: 'message', data: '2' },
        ]);
    });
});

describe('backoffMs', () => {
    it('grows and stays below its maximum', () => {
        expect(backoffMs(0, 0)).toBe(250);
        expect(backoffMs(1, 0)).toBe(500);
        expect(backoffMs(1000, 0.999)).toBeLessThanOrEqual(backoffMaxMs);
        expect(backoffMs(1000, 0)).toBe(backoffMaxMs / 2);
    });
});
