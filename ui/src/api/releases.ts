// Versions, labels, bundles, rollback, freezes and journeys.
import { type QueryClient, keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, api } from './client';
import { keys } from './keys';
import { signed } from './token';
import type { VersionFamily } from './types';

const freshMs = 10_000;

export const useVersions = () =>
    useQuery({
        queryKey: keys.versions,
        queryFn: ({ signal }) => answered(api.GET('/v1/versions', { params: { query: { limit: 1000 } }, signal })),
        refetchInterval: freshMs,
    });

export const useVersion = (hash: string) =>
    useQuery({
        queryKey: keys.version(hash),
        queryFn: ({ signal }) => answered(api.GET('/v1/versions/{hash}', { params: { path: { hash } }, signal })),
        enabled: hash !== '',
        staleTime: Infinity,
    });

export const useDiff = (family: VersionFamily, name: string, from: number, to: number) =>
    useQuery({
        queryKey: keys.diff(family, name, from, to),
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/diff', { params: { query: { family, name, from: `v${from}`, to: `v${to}` } }, signal })),
        enabled: from > 0 && to > 0,
        placeholderData: keepPreviousData,
        staleTime: Infinity,
    });

export const useBundles = () =>
    useQuery({
        queryKey: keys.bundles,
        queryFn: ({ signal }) => answered(api.GET('/v1/bundles', { signal })),
        refetchInterval: freshMs,
    });

export const useFreezes = () =>
    useQuery({
        queryKey: keys.freezes,
        queryFn: ({ signal }) => answered(api.GET('/v1/freezes', { signal })),
        refetchInterval: freshMs,
    });

export const useJourneys = () =>
    useQuery({
        queryKey: keys.journeys,
        queryFn: ({ signal }) => answered(api.GET('/v1/journeys', { signal })),
        refetchInterval: freshMs,
    });

function released(cache: QueryClient): void {
    for (const queryKey of [keys.versions, keys.bundles, keys.freezes, ['incident']]) void cache.invalidateQueries({ queryKey });
}

export interface RollbackDraft {
    family: VersionFamily | 'bundle';
    name: string;
    to?: string;
    from?: string;
    reason: string;
    incident?: string;
    emergency?: string;
}

export const useRollback = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: RollbackDraft) => answered(api.POST('/v1/rollback', { body: signed(body) })),
        onSuccess: () => released(cache),
    });
};

export const useMakeBundle = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: { agent: string; reason: string }) => answered(api.POST('/v1/bundles', { body: signed(body) })),
        onSuccess: () => released(cache),
    });
};

export const useRunJourneys = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (what: { names?: string[]; tool?: string }) => answered(api.POST('/v1/journeys/run', { body: signed(what) })),
        onSettled: () => void cache.invalidateQueries({ queryKey: keys.journeys }),
    });
};
