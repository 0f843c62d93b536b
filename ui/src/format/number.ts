// Numbers as people read them. Tables align on the right with tabular figures.

/** "950", "12.4 k", "3.08 M". */
export function count(value: number): string {
    const size = Math.abs(value);
    if (!Number.isFinite(value)) return '-';
    if (size < 10_000) return Number.isInteger(value) ? String(value) : trim(value.toFixed(size < 10 ? 2 : 1));
    if (size < 1e6) return `${trim((value / 1e3).toPrecision(3))} k`;
    if (size < 1e9) return `${trim((value / 1e6).toPrecision(3))} M`;
    return `${trim((value / 1e9).toPrecision(3))} G`;
}

function trim(text: string): string {
    return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : String(Number(text));
}

/** Money: cents from a dollar on, more digits below, because a model call costs fractions of a cent. */
export function usd(value: number): string {
    if (value === 0) return '$0';
    if (Math.abs(value) >= 10_000) return `$${count(Math.round(value))}`;
    if (Math.abs(value) >= 1) return `$${value.toFixed(2)}`;
    if (Math.abs(value) >= 0.0001) return `$${trim(value.toPrecision(2))}`;
    return '<$0.0001';
}

export function percent(share: number): string {
    const value = share * 100;
    return `${Math.abs(value) >= 10 || value === 0 ? Math.round(value) : trim(value.toFixed(1))} %`;
}

export function rate(perSecond: number): string {
    return perSecond > 0 && perSecond < 0.1 ? '<0.1/s' : `${count(Math.round(perSecond * 10) / 10)}/s`;
}

/** A signal's number in its unit: shares as percent, "times usual" as a factor. */
export function observed(value: number, unit: string): string {
    if (unit.startsWith('share of budget')) return `${percent(value)} of budget`;
    if (unit.startsWith('share')) return percent(value);
    if (unit.startsWith('times')) return `${count(value)}×`;
    if (unit === '' || unit === 'score') return trim(value.toFixed(2));
    return `${count(value)} ${unit}`;
}

/** "1 session", "3 sessions". */
export function plural(number: number, one: string, many = `${one}s`): string {
    return `${count(number)} ${number === 1 ? one : many}`;
}
