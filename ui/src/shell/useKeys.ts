// The keys that work on every page. Never while one types, and never with a dialogue open.
import { useEffect, useRef } from 'react';
import { useNavigate } from 'react-router';

import { places } from './places';

const chordMs = 1200;

export function isTyping(target: EventTarget | null): boolean {
    return (
        target instanceof HTMLElement &&
        (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
    );
}

export function dialogIsOpen(): boolean {
    return document.querySelector('[role="dialog"]') !== null;
}

export function useKeys(does: { palette: () => void; keys: () => void }): void {
    const navigate = useNavigate();
    const wantedAt = useRef(-Infinity);
    const latest = useRef(does);
    latest.current = does;
    useEffect(() => {
        const press = (event: KeyboardEvent): void => {
            if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
                event.preventDefault();
                latest.current.palette();
                return;
            }
            if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return;
            if (event.key === '/') {
                event.preventDefault();
                latest.current.palette();
            } else if (event.key === '?') {
                event.preventDefault();
                latest.current.keys();
            } else if (event.key === 'g') {
                wantedAt.current = event.timeStamp;
            } else if (event.timeStamp - wantedAt.current < chordMs) {
                wantedAt.current = -Infinity;
                const place = places.find(({ key }) => key === event.key);
                if (place) {
                    // The second key is spent: a page's own key of that name must not act as well.
                    event.stopImmediatePropagation();
                    event.preventDefault();
                    void navigate(place.to);
                }
            }
        };
        window.addEventListener('keydown', press, { capture: true });
        return () => window.removeEventListener('keydown', press, { capture: true });
    }, [navigate]);
}

/** A page's own keys; the same rules. */
export function usePageKeys(does: Record<string, () => void>): void {
    const latest = useRef(does);
    latest.current = does;
    useEffect(() => {
        const press = (event: KeyboardEvent): void => {
            if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return;
            const act = latest.current[event.key];
            if (act) {
                event.preventDefault();
                act();
            }
        };
        window.addEventListener('keydown', press);
        return () => window.removeEventListener('keydown', press);
    }, []);
}
