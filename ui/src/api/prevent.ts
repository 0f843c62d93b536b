// Regression cases, reviews, corrective actions and the release gate.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, api } from './client';
import { keys } from './keys';
import { signed } from './token';
import type { ActionKind, ReviewFields } from './types';
import { handOver } from './verify';

export const useRegressions = (incident: string) =>
    useQuery({
        queryKey: [...keys.regressions, incident],
        queryFn: ({ signal }) => answered(api.GET('/v1/regressions', { params: { query: incident ? { incident } : {} }, signal })),
    });

export const useCreateRegression = (incident: string) => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (reason: string) =>
            answered(api.POST('/v1/incidents/{id}/regressions', { params: { path: { id: incident } }, body: signed({ reason }) })),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: keys.regressions });
            void cache.invalidateQueries({ queryKey: keys.incident(incident) });
        },
    });
};

/** The whole case, as a file for `tagout regressions run`. */
export async function downloadRegression(id: string): Promise<void> {
    const whole = await answered(api.GET('/v1/regressions/{id}', { params: { path: { id } } }));
    handOver(new Blob([`${JSON.stringify(whole, null, 2)}\n`], { type: 'application/json' }), `${id}.json`);
}

export const useReview = (incident: string) =>
    useQuery({
        queryKey: keys.review(incident),
        queryFn: ({ signal }) => answered(api.GET('/v1/incidents/{id}/review', { params: { path: { id: incident } }, signal })),
    });

export const useReviews = () =>
    useQuery({
        queryKey: keys.reviews,
        queryFn: ({ signal }) => answered(api.GET('/v1/reviews', { signal })),
        refetchInterval: 15_000,
    });

export const useReviewChange = (incident: string) => {
    const cache = useQueryClient();
    const params = { path: { id: incident } };
    return useMutation({
        mutationFn: (change: { do: 'draft'; fields: ReviewFields } | { do: 'publish'; reason: string }) =>
            answered(
                change.do === 'draft'
                    ? api.POST('/v1/incidents/{id}/review', { params, body: signed(change.fields) })
                    : api.POST('/v1/incidents/{id}/review/publish', { params, body: signed({ reason: change.reason }) }),
            ),
        onSuccess: (review) => {
            cache.setQueryData(keys.review(incident), review);
            void cache.invalidateQueries({ queryKey: keys.reviews });
            void cache.invalidateQueries({ queryKey: keys.incident(incident) });
        },
    });
};

export type ActionState = 'open' | 'closed' | 'overdue' | 'all';

export const useActions = (state: ActionState, incident = '') =>
    useQuery({
        queryKey: [...keys.actions, state, incident],
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/actions', { params: { query: { state, ...(incident ? { incident } : {}) } }, signal })),
        refetchInterval: 15_000,
    });

export interface ActionDraft {
    incident: string;
    title: string;
    kind: ActionKind;
    owner: string;
    due: string;
}

export const useActionChange = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (change: { do: 'add'; draft: ActionDraft } | { do: 'close'; id: string; evidence: string }) =>
            answered(
                change.do === 'add'
                    ? api.POST('/v1/actions', { body: signed(change.draft) })
                    : api.POST('/v1/actions/{id}/close', { params: { path: { id: change.id } }, body: signed({ evidence: change.evidence }) }),
            ),
        onSuccess: (action) => {
            void cache.invalidateQueries({ queryKey: keys.actions });
            void cache.invalidateQueries({ queryKey: keys.review(action.incident) });
        },
    });
};

export const useGate = (agent: string, bundle: string) =>
    useQuery({
        queryKey: keys.gate(agent, bundle),
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/gate', { params: { query: { ...(agent ? { agent } : {}), ...(bundle ? { bundle } : {}) } }, signal })),
        staleTime: 0,
    });
