// Reads a stream of server-sent events (HTML standard, section 9.2) piece by piece.
//
// Not the browser's EventSource: that one hides comments, so a stream that is silently dead, after
// a laptop slept, cannot be told from a quiet one.

export interface StreamEvent {
    event: string;
    data: string;
}

export class EventReader {
    private rest = '';
    private event = '';
    private data: string[] = [];

    /** The events that `text` completes; a half one waits for the next piece. */
    take(text: string): StreamEvent[] {
        const found: StreamEvent[] = [];
        const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
        this.rest = lines.pop() ?? '';
        for (const line of lines) {
            if (line === '') {
                if (this.data.length > 0) found.push({ event: this.event || 'message', data: this.data.join('\n') });
                this.event = '';
                this.data = [];
                continue;
            }
            const colon = line.indexOf(':');
            if (colon === 0) continue;
            const field = colon < 0 ? line : line.slice(0, colon);
            const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
            if (field === 'event') this.event = value;
            if (field === 'data') this.data.push(value);
        }
        return found;
    }
}

export const backoffFirstMs = 500;
export const backoffMaxMs = 15_000;

/** How long to wait before the n-th try (from 0); `chance` in [0, 1) spreads many pages apart. */
export function backoffMs(attempt: number, chance: number): number {
    const whole = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(attempt, 20));
    return Math.round(whole / 2 + (whole / 2) * chance);
}
