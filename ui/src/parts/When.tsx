// Times: local on the page, UTC on hover, and clocks that tick.
import { ago, duration, localTime, stopwatch, utcTime } from '../format/time';
import { useNowMs } from './ticking';

interface Props {
    at: string | undefined;
}

/** "03:04:05", local; UTC on hover. */
export function At({ at }: Props) {
    if (!at) return null;
    const when = new Date(at);
    return (
        <time className="num" dateTime={at} title={utcTime(when)}>
            {localTime(when, new Date())}
        </time>
    );
}

/** "3 min ago"; both clocks on hover. */
export function Ago({ at }: Props) {
    const now = useNowMs();
    if (!at) return null;
    const when = new Date(at);
    return (
        <time className="num" dateTime={at} title={`${localTime(when, new Date(now))} here, ${utcTime(when)}`}>
            {ago(now - when.getTime())}
        </time>
    );
}

/** How long since: "14 min", or a running clock. */
export function Since({ at, until, running = false }: Props & { until?: string | undefined; running?: boolean }) {
    const now = useNowMs();
    if (!at) return null;
    const when = new Date(at);
    const ms = (until ? Date.parse(until) : now) - when.getTime();
    return (
        <time className="num" dateTime={at} title={`since ${localTime(when, new Date(now))} here, ${utcTime(when)}`}>
            {running && !until ? stopwatch(ms) : duration(ms)}
        </time>
    );
}
