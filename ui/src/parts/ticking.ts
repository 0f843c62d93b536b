// One clock for every relative time on the page; it ticks once a second and rests in hidden tabs.
import { useSyncExternalStore } from 'react';

let nowMs = Date.now();
let timer: number | undefined;
const listeners = new Set<() => void>();

function tick(): void {
    if (document.hidden) return;
    nowMs = Date.now();
    listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    if (timer === undefined) {
        nowMs = Date.now();
        timer = window.setInterval(tick, 1000);
        document.addEventListener('visibilitychange', tick);
    }
    return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
            window.clearInterval(timer);
            timer = undefined;
            document.removeEventListener('visibilitychange', tick);
        }
    };
}

export const useNowMs = (): number => useSyncExternalStore(subscribe, () => nowMs);
