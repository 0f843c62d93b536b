// Times and durations as people read them: local, with UTC beside it.

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const two = (value: number): string => String(value).padStart(2, '0');

/** "14:03:09" of the reader's zone; with the date when it is not today's. */
export function localTime(at: Date, now: Date): string {
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    if (at.toDateString() === now.toDateString()) return clock;
    const date = `${two(at.getDate())} ${at.toLocaleString('en-GB', { month: 'short' })}`;
    return at.getFullYear() === now.getFullYear() ? `${date} ${clock}` : `${date} ${at.getFullYear()} ${clock}`;
}

/** "2026-11-24 04:03:09.120 UTC"; milliseconds only when there are any. */
export function utcTime(at: Date): string {
    return `${at.toISOString().replace('T', ' ').replace('Z', '').replace('.000', '')} UTC`;
}

/** The largest two units: "4 s", "3 min 20 s", "2 h 05 min", "6 d 4 h". Negative counts as nothing. */
export function duration(ms: number): string {
    const whole = Math.max(0, Math.floor(ms / second));
    if (whole < 60) return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return whole % 60 === 0 || minutes >= 10 ? `${minutes} min` : `${minutes} min ${two(whole % 60)} s`;
    const hours = Math.floor(minutes / 60);
    if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${two(minutes % 60)} min`;
    const days = Math.floor(hours / 24);
    return hours % 24 === 0 || days >= 10 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** "just now", "40 s ago", "3 min ago", "2 h ago": one unit, for lists. */
export function ago(ms: number): string {
    if (ms < 2 * second) return 'just now';
    if (ms < minute) return `${Math.floor(ms / second)} s ago`;
    if (ms < hour) return `${Math.floor(ms / minute)} min ago`;
    if (ms < 2 * day) return `${Math.floor(ms / hour)} h ago`;
    return `${Math.floor(ms / day)} d ago`;
}

/** A running clock: "00:42", "1:02:33", "3 d 01:02:33". */
export function stopwatch(ms: number): string {
    const whole = Math.max(0, Math.floor(ms / second));
    const days = Math.floor(whole / 86_400);
    const hours = Math.floor((whole % 86_400) / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    const clock = `${two(minutes)}:${two(whole % 60)}`;
    if (days > 0) return `${days} d ${two(hours)}:${clock}`;
    return hours > 0 ? `${hours}:${clock}` : clock;
}

/** How long one step took: "0.4 ms", "12 ms", "1.24 s", "2 min 03 s". */
export function stepTime(ms: number): string {
    if (!Number.isFinite(ms) || ms <= 0) return '0 ms';
    if (ms < 1) return `${ms.toFixed(2)} ms`;
    if (ms < 10) return `${ms.toFixed(1)} ms`;
    if (ms < 1000) return `${Math.round(ms)} ms`;
    if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
    if (ms < minute) return `${(ms / 1000).toFixed(1)} s`;
    return duration(ms);
}
