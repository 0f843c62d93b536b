import { describe, expect, it } from 'vitest';

import { count, observed, percent, plural, rate, usd } from './number';
import { ago, duration, localTime, stepTime, stopwatch, utcTime } from './time';
import { beganAt, isReopening, isStillGoingOn, nextStep, signalTitle, subject } from './words';

const s = 1000;
const min = 60 * s;
const h = 60 * min;
const d = 24 * h;

describe('durations', () => {
    it.each([
        ['nothing', 0, '0 s'],
        ['a clock that is behind', -5 * s, '0 s'],
        ['seconds', 59_999, '59 s'],
        ['a minute', min, '1 min'],
        ['minutes and seconds', 3 * min + 7 * s, '3 min 07 s'],
        ['from ten minutes on seconds do not matter', 10 * min + 59 * s, '10 min'],
        ['an hour and some', h + 5 * min, '1 h 05 min'],
        ['days and hours', 6 * d + 4 * h, '6 d 4 h'],
        ['weeks', 40 * d + 4 * h, '40 d'],
    ])('%s', (_name, ms, text) => expect(duration(ms)).toBe(text));

    it.each([
        ['now', 100, 'just now'],
        ['a clock that is behind', -9000, 'just now'],
        ['seconds', 42 * s, '42 s ago'],
        ['minutes', 59 * min + 59 * s, '59 min ago'],
        ['hours', 47 * h, '47 h ago'],
        ['days', 3 * d, '3 d ago'],
    ])('ago: %s', (_name, ms, text) => expect(ago(ms)).toBe(text));

    it.each([
        ['below an hour', 12 * min + 3 * s, '12:03'],
        ['above', 2 * h + 3 * s, '2:00:03'],
        ['days', 3 * d + h, '3 d 01:00:00'],
        ['not begun', -1, '00:00'],
    ])('stopwatch: %s', (_name, ms, text) => expect(stopwatch(ms)).toBe(text));

    it.each([
        [0, '0 ms'],
        [0.25, '0.25 ms'],
        [3.21, '3.2 ms'],
        [999, '999 ms'],
        [1240, '1.24 s'],
        [31_240, '31.2 s'],
        [123_000, '2 min 03 s'],
        [Number.NaN, '0 ms'],
    ])('a step of %d ms', (ms, text) => expect(stepTime(ms)).toBe(text));
});

describe('times', () => {
    const now = new Date(2026, 10, 24, 12, 0, 0);
    it('leaves the date away today', () => expect(localTime(new Date(2026, 10, 24, 3, 4, 5), now)).toBe('03:04:05'));
    it('shows the date of another day', () =>
        expect(localTime(new Date(2026, 10, 23, 3, 4, 5), now)).toBe('23 Nov 03:04:05'));
    it('shows the year of another year', () =>
        expect(localTime(new Date(2025, 10, 23, 3, 4, 5), now)).toBe('23 Nov 2025 03:04:05'));
    it('says UTC', () => {
        expect(utcTime(new Date('2026-11-24T04:03:09Z'))).toBe('2026-11-24 04:03:09 UTC');
        expect(utcTime(new Date('2026-11-24T04:03:09.120Z'))).toBe('2026-11-24 04:03:09.120 UTC');
    });
});

describe('numbers', () => {
    it.each([
        [0, '0'],
        [950, '950'],
        [9999, '9999'],
        [12_400, '12.4 k'],
        [100_000, '100 k'],
        [3_080_000, '3.08 M'],
        [999_999_999, '1000 M'],
        [1.5, '1.5'],
        [Number.NaN, '-'],
    ])('count %d', (value, text) => expect(count(value)).toBe(text));
    it.each([
        [0, '$0'],
        [12.3, '$12.30'],
        [0.0421, '$0.042'],
        [0.00001, '<$0.0001'],
        [12_345, '$12.3 k'],
    ])('usd %d', (value, text) => expect(usd(value)).toBe(text));
    it('percent keeps a digit where it matters', () => {
        expect(percent(0.314)).toBe('31 %');
        expect(percent(0.004)).toBe('0.4 %');
        expect(percent(0)).toBe('0 %');
    });
    it('says small rates are not nothing', () => {
        expect(rate(0)).toBe('0/s');
        expect(rate(0.04)).toBe('<0.1/s');
        expect(rate(1520.4)).toBe('1520.4/s');
    });
    it.each([
        [0.31, 'share of calls', '31 %'],
        [1.2, 'share of budget', '120 % of budget'],
        [4.25, 'times usual', '4.25×'],
        [3, 'rounds', '3 rounds'],
        [0.9, 'score', '0.9'],
    ])('observed %d in %s', (value, unit, text) => expect(observed(value, unit)).toBe(text));
    it('counts one and many', () => expect([plural(1, 'session'), plural(3, 'session')]).toEqual(['1 session', '3 sessions']));
});

describe('words', () => {
    const incident = {
        state: 'declared' as const,
        anchors: {},
        agent: 'refund-agent',
        tool: 'refund.issue',
        last_finding_at: '2026-11-24T04:00:00Z',
    };
    it('names a signal as people do', () => expect(signalTitle('tool.4xx_spike')).toBe('4xx spike'));
    it('says whom it happens to', () => {
        expect(subject(incident)).toBe('refund-agent · refund.issue');
        expect(subject({})).toBe('');
    });
    it('is still going on for two minutes after the last finding, and not when resolved', () => {
        const at = Date.parse(incident.last_finding_at);
        expect(isStillGoingOn(incident, at + 119_000)).toBe(true);
        expect(isStillGoingOn(incident, at + 121_000)).toBe(false);
        expect(isStillGoingOn({ ...incident, state: 'resolved' }, at)).toBe(false);
    });
    it('takes the earliest anchor that is known', () => {
        expect(beganAt({ ...incident, anchors: { declared_at: 'b', onset_at: 'a' } })).toBe('a');
        expect(beganAt(incident)).toBe(incident.last_finding_at);
    });
    it('asks for an acknowledgement before anything else', () => {
        expect(nextStep(incident).do).toBe('ack');
        expect(nextStep({ ...incident, acked_by: 'person:ana' })).toMatchObject({ do: 'move', to: 'contained' });
        expect(nextStep({ ...incident, state: 'triage' }).do).toBe('confirm');
        expect(nextStep({ ...incident, state: 'merged' }).do).toBe('look');
    });
    it('calls a declaration after the end a reopening', () => {
        expect(isReopening('closed', 'declared')).toBe(true);
        expect(isReopening('triage', 'declared')).toBe(false);
    });
});
