import { describe, expect, it } from 'vitest';

import type { TraceEvent } from '../api/types';
import { ticks, timeAxis } from './axis';
import { buildTree, repeats, visibleRows } from './tree';

function event(span: string, parent: string | undefined, offset: number, more: Partial<TraceEvent> = {}): TraceEvent {
    return {
        trace_id: 't',
        span_id: span,
        ...(parent === undefined ? {} : { parent_span_id: parent }),
        signal: 'traces',
        kind: 'tool',
        name: span,
        started_at: new Date(1_700_000_000_000 + offset).toISOString(),
        offset_ms: offset,
        duration_ms: 10,
        status: 'ok',
        outcome: 'ok',
        depth: 0,
        findings: [],
        ...more,
    };
}

const shape = (events: TraceEvent[]): string[] =>
    buildTree(events).map((row) => '  '.repeat(row.depth) + row.event.name);

describe('buildTree', () => {
    it('puts children below their parents, in order of time', () => {
        expect(shape([event('c2', 'root', 30), event('root', undefined, 0), event('c1', 'root', 10), event('g', 'c1', 12)])).toEqual([
            'root', '  c1', '    g', '  c2',
        ]);
    });
    it('shows an orphan as a root', () => {
        expect(shape([event('a', 'gone', 0), event('b', 'a', 1)])).toEqual(['a', '  b']);
    });
    it('hangs a log record below the span that it was written in', () => {
        expect(
            shape([event('a', undefined, 0), event('a', undefined, 5, { signal: 'logs', name: 'said' })]),
        ).toEqual(['a', '  said']);
    });
    it('keeps every row of a circle, a span that is its own parent, and a repeated id', () => {
        const rows = buildTree([event('a', 'b', 0), event('b', 'a', 1), event('c', 'c', 2), event('d', undefined, 3), event('d', undefined, 4)]);
        expect(rows.map((row) => row.index).sort()).toEqual([0, 1, 2, 3, 4]);
    });
    it('takes ids of zeros for no id', () => {
        const zeros = '0000000000000000';
        expect(shape([event(zeros, undefined, 0, { name: 'x' }), event('b', zeros, 1)])).toEqual(['x', 'b']);
    });
    it('does not mix traces that use the same span ids', () => {
        expect(shape([event('a', undefined, 0), event('b', 'a', 1, { trace_id: 'u' })])).toEqual(['a', 'b']);
    });
    it('reckons offsets itself where the server sent none', () => {
        const rows = buildTree([event('a', undefined, 0, { offset_ms: undefined }), event('b', 'a', 250, { offset_ms: undefined })]);
        expect(rows.map((row) => row.startMs)).toEqual([0, 250]);
    });
    it('makes nothing of nothing', () => expect(buildTree([])).toEqual([]));
    it('is quick on a chain of 5000', () => {
        const chain = Array.from({ length: 5000 }, (_, i) => event(`s${i}`, i ? `s${i - 1}` : undefined, i));
        expect(buildTree(chain).at(-1)?.depth).toBe(4999);
    });
});

describe('visibleRows', () => {
    const rows = buildTree([event('r', undefined, 0), event('a', 'r', 1), event('aa', 'a', 2), event('b', 'r', 3)]);
    it('hides all that is below a collapsed row', () => {
        expect(visibleRows(rows, new Set([1])).map((row) => row.event.name)).toEqual(['r', 'a', 'b']);
        expect(visibleRows(rows, new Set([0])).map((row) => row.event.name)).toEqual(['r']);
        expect(visibleRows(rows, new Set())).toHaveLength(4);
    });
});

describe('repeats', () => {
    it('counts calls with the same tool and arguments, and no others', () => {
        const call = (span: string, at: number, args: string, tool = 'find') => event(span, undefined, at, { tool, tool_args: args });
        const rows = buildTree([call('1', 0, '{"a":1}'), call('2', 1, '{"a":1}'), call('3', 2, '{"a":2}'), call('4', 3, '{"a":1}'), call('5', 4, '{"a":1}', 'other')]);
        expect([...repeats(rows)]).toEqual([[1, 1], [3, 2]]);
    });
});

describe('timeAxis', () => {
    const span = (startMs: number, endMs: number, children: number[] = []) => ({ startMs, endMs, children });
    it('is straight when nothing is folded', () => {
        const axis = timeAxis([span(0, 1000)], false);
        expect([axis.at(0), axis.at(500), axis.at(1000)]).toEqual([0, 0.5, 1]);
        expect(axis.folds).toEqual([]);
    });
    it('folds the time in which only parents wait', () => {
        const axis = timeAxis([span(0, 1000, [1]), span(0, 100), span(900, 1000)], true);
        expect(axis.folds).toHaveLength(1);
        expect(axis.folds[0]?.ms).toBe(800);
        expect(axis.idleMs).toBe(800);
        expect(axis.at(100)).toBeCloseTo(0.485);
        expect(axis.at(900)).toBeCloseTo(0.515);
        expect(axis.at(1000)).toBeCloseTo(1);
    });
    it('finds its way back', () => {
        const axis = timeAxis([span(0, 1000, [1]), span(0, 100), span(700, 1000)], true);
        for (const ms of [0, 50, 100, 400, 700, 999]) expect(axis.timeAt(axis.at(ms))).toBeCloseTo(ms, 6);
    });
    it('never leaves the axis, and stands an instant trace', () => {
        const axis = timeAxis([span(0, 0)], true);
        expect(axis.at(0)).toBeGreaterThanOrEqual(0);
        expect(axis.at(99)).toBe(1);
        expect(axis.at(-99)).toBe(0);
    });
});

describe('ticks', () => {
    it('are round and few', () => {
        expect(ticks(1000, 5)).toEqual([0, 200, 400, 600, 800, 1000]);
        expect(ticks(7340, 4)).toEqual([0, 2000, 4000, 6000]);
    });
});
