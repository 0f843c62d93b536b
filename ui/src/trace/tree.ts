// The tree of a trace: rows in reading order, each with its depth, whatever order the events came in.
//
// Telemetry is never whole: parents may be missing (the child is then a root), ids may repeat or be
// all zeros, and a broken exporter can make a circle. Every event becomes exactly one row.
import type { TraceEvent } from '../api/types';

export interface TraceRow {
    /** Position in the answer: unique, where span ids need not be. */
    index: number;
    event: TraceEvent;
    depth: number;
    parent: number | null;
    children: number[];
    startMs: number;
    endMs: number;
}

const noSpan = /^0*$/;

export function buildTree(events: readonly TraceEvent[]): TraceRow[] {
    const origin = Math.min(...events.map((event) => Date.parse(event.started_at)));
    const rows: TraceRow[] = events.map((event, index) => {
        const startMs = event.offset_ms ?? Date.parse(event.started_at) - origin;
        return {
            index,
            event,
            depth: 0,
            parent: null,
            children: [],
            startMs,
            endMs: startMs + Math.max(0, event.duration_ms),
        };
    });
    link(rows);
    return inReadingOrder(rows);
}

const key = (trace: string | undefined, span: string): string => `${trace ?? ''}/${span}`;

function link(rows: TraceRow[]): void {
    const spans = new Map<string, number>();
    for (const { event, index } of rows) {
        if (event.signal === 'logs' || noSpan.test(event.span_id)) continue;
        const id = key(event.trace_id, event.span_id);
        if (!spans.has(id)) spans.set(id, index);
    }
    for (const row of rows) {
        const { event } = row;
        // A log record hangs below the span that it was written in.
        const wanted = event.signal === 'logs' && !noSpan.test(event.span_id) ? event.span_id : event.parent_span_id;
        const parent = wanted === undefined || noSpan.test(wanted) ? undefined : spans.get(key(event.trace_id, wanted));
        if (parent === undefined || parent === row.index || descendsFrom(rows, parent, row.index)) continue;
        row.parent = parent;
    }
    for (const row of rows) {
        if (row.parent !== null) rows[row.parent]?.children.push(row.index);
    }
}

/** Whether `row` is `ancestor` or below it, by the parents linked so far. */
function descendsFrom(rows: TraceRow[], row: number, ancestor: number): boolean {
    for (let at: number | null = row; at !== null; at = rows[at]?.parent ?? null) {
        if (at === ancestor) return true;
    }
    return false;
}

function inReadingOrder(rows: TraceRow[]): TraceRow[] {
    const byTime = (a: number, b: number): number => (rows[a]?.startMs ?? 0) - (rows[b]?.startMs ?? 0) || a - b;
    const ordered: TraceRow[] = [];
    const stack = rows
        .filter((row) => row.parent === null)
        .map((row) => row.index)
        .sort(byTime)
        .reverse();
    while (stack.length > 0) {
        const row = rows[stack.pop() as number];
        if (!row) continue;
        row.depth = row.parent === null ? 0 : (rows[row.parent]?.depth ?? 0) + 1;
        row.children.sort(byTime);
        ordered.push(row);
        for (let i = row.children.length - 1; i >= 0; --i) stack.push(row.children[i] as number);
    }
    return ordered;
}

/** The rows that are seen when the rows in `collapsed` (by index) hide what is below them. */
export function visibleRows(rows: readonly TraceRow[], collapsed: ReadonlySet<number>): TraceRow[] {
    const seen: TraceRow[] = [];
    let hiddenBelow = Infinity;
    for (const row of rows) {
        if (row.depth > hiddenBelow) continue;
        hiddenBelow = collapsed.has(row.index) ? row.depth : Infinity;
        seen.push(row);
    }
    return seen;
}

/** For each row, how many calls before it had the same tool and arguments. */
export function repeats(rows: readonly TraceRow[]): Map<number, number> {
    const times = new Map<string, number>();
    const found = new Map<number, number>();
    const inTime = [...rows].sort((a, b) => a.startMs - b.startMs || a.index - b.index);
    for (const { event, index } of inTime) {
        if (event.kind !== 'tool' || !event.tool || event.tool_args === undefined) continue;
        const call = `${event.tool} ${event.tool_args}`;
        const before = times.get(call) ?? 0;
        if (before > 0) found.set(index, before);
        times.set(call, before + 1);
    }
    return found;
}
