// The page's live connection: /v1/stream into the query cache, with a state that the top bar shows.
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';

import { keys } from './keys';
import { EventReader, backoffMs } from './sse';
import type { IncidentSummary, Now } from './types';

export interface LiveState {
    live: boolean;
    /** When the page last heard from the server; 0 before the first time. */
    lastHeardAt: number;
    /** Items a second, newest last: what the first screen's small chart draws. */
    rates: readonly number[];
}

/** The server sends `now` every second; longer silence means that the connection is dead. */
const silenceMaxMs = 12_000;
const ratesMax = 120;
const refetchEveryMs = 1_500;

let state: LiveState = { live: false, lastHeardAt: 0, rates: [] };
const listeners = new Set<() => void>();

function become(next: Partial<LiveState>): void {
    state = { ...state, ...next };
    listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

export const useLive = (): LiveState => useSyncExternalStore(subscribe, () => state);

/** Runs `refetch` at once, and then at most once in `refetchEveryMs`, for as long as it is asked. */
function paced(refetch: () => void): () => void {
    let timer: number | undefined;
    let again = false;
    const fire = (): void => {
        refetch();
        timer = window.setTimeout(() => {
            timer = undefined;
            if (again) {
                again = false;
                fire();
            }
        }, refetchEveryMs);
    };
    return () => {
        if (timer === undefined) fire();
        else again = true;
    };
}

function listen(cache: QueryClient): (event: string, data: string) => void {
    const refetches = new Map<string, () => void>();
    const refetch = (name: string, queryKey: readonly unknown[]): void => {
        let run = refetches.get(name);
        if (!run) {
            run = paced(() => void cache.invalidateQueries({ queryKey }));
            refetches.set(name, run);
        }
        run();
    };
    return (event, data) => {
        if (event === 'now') {
            const now = JSON.parse(data) as Now;
            cache.setQueryData(keys.now, now);
            become({ rates: [...state.rates.slice(1 - ratesMax), now.intake.items_per_second] });
        } else if (event === 'incident') {
            const incident = JSON.parse(data) as IncidentSummary;
            refetch('incidents', keys.incidents);
            refetch(`class ${incident.class}`, keys.board(incident.class));
            refetch(incident.id, keys.incident(incident.id));
            refetch('notices', keys.notices);
            refetch('controls', keys.controls);
            refetch(`containment ${incident.id}`, keys.containment(incident.id));
        }
    };
}

/** Connects, and reconnects for ever; the returned call ends it. */
export function goLive(cache: QueryClient): () => void {
    const stop = new AbortController();
    const hear = listen(cache);
    let attempt = 0;

    const follow = async (): Promise<void> => {
        const abort = new AbortController();
        const end = (): void => abort.abort();
        stop.signal.addEventListener('abort', end);
        let watchdog = window.setTimeout(end, silenceMaxMs);
        try {
            const answer = await fetch('/v1/stream', {
                headers: { Accept: 'text/event-stream' },
                cache: 'no-store',
                signal: abort.signal,
            });
            if (!answer.ok || !answer.body) return;
            const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
            const reader = new EventReader();
            const missedSomething = state.lastHeardAt > 0;
            attempt = 0;
            become({ live: true, lastHeardAt: Date.now() });
            if (missedSomething) void cache.invalidateQueries();
            for (;;) {
                const { done, value } = await pieces.read();
                if (done) return;
                window.clearTimeout(watchdog);
                watchdog = window.setTimeout(end, silenceMaxMs);
                become({ live: true, lastHeardAt: Date.now() });
                for (const { event, data } of reader.take(value)) hear(event, data);
            }
        } catch (cause) {
            if (!(cause instanceof DOMException) && !(cause instanceof TypeError)) console.error(cause);
        } finally {
            window.clearTimeout(watchdog);
            stop.signal.removeEventListener('abort', end);
            abort.abort();
        }
    };

    void (async () => {
        while (!stop.signal.aborted) {
            await follow();
            if (stop.signal.aborted) return;
            if (state.live) become({ live: false });
            const wait = backoffMs(attempt++, Math.random());
            await new Promise<void>((resume) => {
                const timer = window.setTimeout(resume, wait);
                stop.signal.addEventListener('abort', () => resume(), { once: true });
                window.addEventListener('online', () => { window.clearTimeout(timer); resume(); }, { once: true });
            });
        }
    })();
    return () => stop.abort();
}
