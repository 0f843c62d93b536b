// The shared time axis of a waterfall: milliseconds to a place between 0 and 1, with idle time folded.

export interface Span {
    startMs: number;
    endMs: number;
    children: readonly number[];
}

interface Piece {
    fromMs: number;
    toMs: number;
    from: number;
    to: number;
    folded: boolean;
}

export interface Axis {
    at: (ms: number) => number;
    /** The time at a place of the axis. */
    timeAt: (place: number) => number;
    /** Idle stretches that are drawn narrower than they were. */
    folds: { place: number; ms: number }[];
    totalMs: number;
    idleMs: number;
}

/** An idle stretch is folded when it is longer than this share of the whole, */
const foldShare = 0.08;
/** to this share of the axis. */
const foldedWidth = 0.03;

/** Stretches in which no leaf runs; parents only wait then. */
function idleStretches(spans: readonly Span[], totalMs: number): { fromMs: number; toMs: number }[] {
    const busy = spans
        .filter((span) => span.children.length === 0)
        .map((span) => [span.startMs, span.endMs] as const)
        .sort((a, b) => a[0] - b[0]);
    const idle: { fromMs: number; toMs: number }[] = [];
    let seen = 0;
    for (const [start, end] of busy) {
        if (start > seen) idle.push({ fromMs: seen, toMs: start });
        seen = Math.max(seen, end);
    }
    if (totalMs > seen) idle.push({ fromMs: seen, toMs: totalMs });
    return idle;
}

export function timeAxis(spans: readonly Span[], fold: boolean): Axis {
    const totalMs = Math.max(1e-6, ...spans.map((span) => span.endMs));
    const long = idleStretches(spans, totalMs).filter(({ fromMs, toMs }) => toMs - fromMs > totalMs * foldShare);
    const idleMs = long.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const folded = fold ? long : [];
    const foldedMs = folded.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const perMs = (1 - folded.length * foldedWidth) / Math.max(1e-6, totalMs - foldedMs);

    const pieces: Piece[] = [];
    let place = 0;
    let ms = 0;
    const add = (toMs: number, width: number, isFold: boolean): void => {
        pieces.push({ fromMs: ms, toMs, from: place, to: place + width, folded: isFold });
        place += width;
        ms = toMs;
    };
    for (const { fromMs, toMs } of folded) {
        if (fromMs > ms) add(fromMs, (fromMs - ms) * perMs, false);
        add(toMs, foldedWidth, true);
    }
    if (totalMs > ms || pieces.length === 0) add(totalMs, (totalMs - ms) * perMs, false);

    const clamp = (value: number): number => Math.min(1, Math.max(0, value));
    const pieceOf = (isIn: (piece: Piece) => boolean): Piece => (pieces.find(isIn) ?? pieces[pieces.length - 1]) as Piece;
    return {
        at: (time) => {
            const piece = pieceOf(({ toMs }) => time <= toMs);
            const share = (time - piece.fromMs) / Math.max(1e-9, piece.toMs - piece.fromMs);
            return clamp(piece.from + share * (piece.to - piece.from));
        },
        timeAt: (wanted) => {
            const piece = pieceOf(({ to }) => wanted <= to);
            const share = (wanted - piece.from) / Math.max(1e-9, piece.to - piece.from);
            return piece.fromMs + share * (piece.toMs - piece.fromMs);
        },
        folds: pieces
            .filter((piece) => piece.folded)
            .map((piece) => ({ place: (piece.from + piece.to) / 2, ms: piece.toMs - piece.fromMs })),
        totalMs,
        idleMs,
    };
}

/** Round times for the axis's labels: at most `most` of them, in steps of 1, 2 or 5. */
export function ticks(totalMs: number, most: number): number[] {
    const raw = totalMs / Math.max(1, most);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw) ?? raw;
    const found: number[] = [];
    for (let at = 0; at <= totalMs * 1.0001; at += step) found.push(at);
    return found;
}
