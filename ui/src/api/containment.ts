// Controls, what the playbooks propose, and calls that wait for a person.
import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, api } from './client';
import { keys } from './keys';
import { signed } from './token';
import type { Control, ControlMode } from './types';

/** A person who has just stopped something watches it: a point acknowledges in milliseconds. */
const watchedMs = 400;
const soonMs = 1_000;
const calmMs = 5_000;

/** Whether what is shown will change by itself in a moment: a point acknowledges, a probe comes back. */
const isMoving = (control: Control): boolean => control.state !== 'proved' && control.state !== 'released';

export const useControls = (state: 'in_force' | 'all' = 'in_force') =>
    useQuery({
        queryKey: [...keys.controls, state],
        queryFn: ({ signal }) => answered(api.GET('/v1/controls', { params: { query: { state } }, signal })),
        refetchInterval: ({ state: { data } }) => (data?.controls.some(isMoving) ? soonMs : calmMs),
    });

export const useControl = (id: string) =>
    useQuery({
        queryKey: keys.control(id),
        queryFn: ({ signal }) => answered(api.GET('/v1/controls/{id}', { params: { path: { id } }, signal })),
        refetchInterval: ({ state: { data } }) => {
            if (!data || data.state === 'unproved') return soonMs;
            return isMoving(data) ? watchedMs : calmMs;
        },
        enabled: id !== '',
    });

export const useIncidentContainment = (id: string, enabled = true) =>
    useQuery({
        queryKey: keys.containment(id),
        queryFn: ({ signal }) => answered(api.GET('/v1/incidents/{id}/containment', { params: { path: { id } }, signal })),
        refetchInterval: ({ state: { data } }) => (data?.controls.some(isMoving) ? soonMs : calmMs),
        enabled,
    });

export const useApprovals = () =>
    useQuery({
        queryKey: keys.approvals,
        queryFn: ({ signal }) => answered(api.GET('/v1/approvals', { signal })),
        refetchInterval: 2_000,
    });

function told(cache: QueryClient, control: Control): void {
    cache.setQueryData(keys.control(control.id), control);
    void cache.invalidateQueries({ queryKey: keys.controls });
    if (control.incident) {
        void cache.invalidateQueries({ queryKey: keys.containment(control.incident) });
        void cache.invalidateQueries({ queryKey: keys.incident(control.incident) });
    }
}

export interface ControlDraft {
    scope: string;
    mode: ControlMode;
    reason: string;
    incident?: string;
    allowed?: string[];
    route_to?: string;
}

export const useApplyControl = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (draft: ControlDraft) => answered(api.POST('/v1/controls', { body: signed(draft) })),
        onSuccess: (control) => told(cache, control),
    });
};

export type ControlChange =
    | { do: 'probe' | 'request-release'; reason: string }
    | { do: 'renew'; reason: string; review_by: string }
    | { do: 'put-back'; reason: string }
    | ({ do: 'release'; reason: string; actor: string; without_journeys?: string } & ReleaseStage);

/** How far a release goes. */
export type ReleaseStage = { stage: 'all' } | { stage: 'tenant'; tenant: string } | { stage: 'share'; share: number };

function send(id: string, change: ControlChange): Promise<Control> {
    const params = { path: { id } };
    switch (change.do) {
        case 'probe':
            return answered(api.POST('/v1/controls/{id}/probe', { params, body: signed({ reason: change.reason }) }));
        case 'request-release':
            return answered(api.POST('/v1/controls/{id}/request-release', { params, body: signed({ reason: change.reason }) }));
        case 'renew':
            return answered(api.POST('/v1/controls/{id}/renew', { params, body: signed({ reason: change.reason, review_by: change.review_by }) }));
        case 'put-back':
            return answered(api.POST('/v1/controls/{id}/release', { params, body: signed({ reason: change.reason, stage: 'shadow' as const }) }));
        case 'release': {
            const { do: _, without_journeys, ...rest } = change;
            const body = { ...rest, ...(without_journeys ? { without_journeys } : {}) };
            return answered(api.POST('/v1/controls/{id}/release', { params, body }));
        }
    }
}

export const useControlChange = (id: string) => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (change: ControlChange) => send(id, change),
        onSuccess: (control) => told(cache, control),
    });
};

export const useApprovalAnswer = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: ({ id, answer, reason }: { id: string; answer: 'approve' | 'deny'; reason: string }) => {
            const call = { params: { path: { id } }, body: signed({ reason }) };
            return answered(answer === 'approve' ? api.POST('/v1/approvals/{id}/approve', call) : api.POST('/v1/approvals/{id}/deny', call));
        },
        onSettled: () => void cache.invalidateQueries({ queryKey: keys.approvals }),
    });
};
