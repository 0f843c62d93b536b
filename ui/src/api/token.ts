// The administrator's token and the reader's name, kept by this browser only.
//
// sessionStorage by default: gone when the tab is closed. localStorage when the person asked for it.
import { useSyncExternalStore } from 'react';

const tokenKey = 'tagout.token';
const nameKey = 'tagout.name';
const listeners = new Set<() => void>();

// A browser may refuse storage (private mode, policy): then the token lives as long as the page.
const memory = new Map<string, string>();

function read(storage: 'sessionStorage' | 'localStorage', key: string): string | null {
    try {
        return window[storage].getItem(key);
    } catch {
        return memory.get(key) ?? null;
    }
}

function write(storage: 'sessionStorage' | 'localStorage', key: string, value: string | null): void {
    try {
        if (value === null) window[storage].removeItem(key);
        else window[storage].setItem(key, value);
    } catch {
        if (value === null) memory.delete(key);
        else memory.set(key, value);
    }
}

function told(): void {
    listeners.forEach((listener) => listener());
}

export function token(): string {
    return read('sessionStorage', tokenKey) ?? read('localStorage', tokenKey) ?? '';
}

export function tokenIsRemembered(): boolean {
    return read('localStorage', tokenKey) !== null;
}

export function keepToken(value: string, remember: boolean): void {
    const wanted = value.trim();
    write('sessionStorage', tokenKey, wanted && !remember ? wanted : null);
    write('localStorage', tokenKey, wanted && remember ? wanted : null);
    told();
}

export function personName(): string {
    return read('localStorage', nameKey) ?? '';
}

export function keepPersonName(value: string): void {
    write('localStorage', nameKey, value.trim() || null);
    told();
}

/** A change's body with the name of who makes it. */
export function signed<T extends object>(body: T): T & { actor?: string } {
    const actor = personName();
    return actor ? { ...body, actor } : body;
}

function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    window.addEventListener('storage', listener);
    return () => {
        listeners.delete(listener);
        window.removeEventListener('storage', listener);
    };
}

export const useToken = (): string => useSyncExternalStore(subscribe, token);
export const usePersonName = (): string => useSyncExternalStore(subscribe, personName);
