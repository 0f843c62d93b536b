// Reads and changes of incidents, traces, the catalog and the system as TanStack Query hooks; each step of the
// runbook has a file of its own beside this one.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { answered, api } from './client';
import { keys } from './keys';
import { signed, useToken } from './token';
import type { FailureClass, Incident, IncidentKind, IncidentState, Severity } from './types';

export interface IncidentFilter {
    state?: string;
    class?: FailureClass;
    severity?: Severity;
    kind?: IncidentKind;
    text?: string;
    limit?: number;
}

export const incidentsShownMax = 500;
export const traceEventsMax = 2000;
const journalPageSize = 100;

export const useNow = () =>
    useQuery({ queryKey: keys.now, queryFn: ({ signal }) => answered(api.GET('/v1/now', { signal })) });

export const useIncidents = (filter: IncidentFilter, enabled = true) =>
    useQuery({
        queryKey: [...keys.incidents, filter],
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/incidents', { params: { query: { limit: incidentsShownMax, ...filter } }, signal })),
        placeholderData: keepPreviousData,
        enabled,
    });

export const useIncident = (id: string) =>
    useQuery({
        queryKey: keys.incident(id),
        queryFn: ({ signal }) => answered(api.GET('/v1/incidents/{id}', { params: { path: { id } }, signal })),
    });

export const useTrace = (correlation: string) =>
    useQuery({
        queryKey: keys.trace(correlation),
        queryFn: ({ signal }) =>
            answered(
                api.GET('/v1/traces/{correlation}', {
                    params: { path: { correlation }, query: { limit: traceEventsMax } },
                    signal,
                }),
            ),
        enabled: correlation !== '',
    });

export const useBoard = (name: FailureClass) =>
    useQuery({
        queryKey: keys.board(name),
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/classes/{class}', { params: { path: { class: name } }, signal })),
        refetchInterval: 15_000,
    });

export const useAgents = (enabled = true) =>
    useQuery({
        queryKey: keys.agents,
        queryFn: ({ signal }) => answered(api.GET('/v1/agents', { signal })),
        refetchInterval: 15_000,
        enabled,
    });

export const useNotices = (incident: string) =>
    useQuery({
        queryKey: [...keys.notices, incident],
        queryFn: ({ signal }) =>
            answered(
                api.GET('/v1/notices', { params: { query: { limit: 200, ...(incident ? { incident } : {}) } }, signal }),
            ),
        placeholderData: keepPreviousData,
        refetchInterval: 10_000,
    });

export const useJournal = (from: number) =>
    useQuery({
        queryKey: [...keys.journal, from],
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/journal', { params: { query: { from, limit: journalPageSize } }, signal })),
        placeholderData: keepPreviousData,
    });

export const useSettings = () =>
    useQuery({
        queryKey: keys.settings,
        queryFn: ({ signal }) => answered(api.GET('/v1/settings', { signal })),
    });

/** Whether the token that this browser keeps may make changes. */
export const useTokenCheck = () => {
    const held = useToken();
    return useQuery({
        queryKey: keys.token(held),
        queryFn: ({ signal }) => answered(api.GET('/v1/token', { signal })),
        enabled: held !== '',
        retry: false,
        staleTime: 60_000,
    });
};

/** What a person can do to an incident, as one value. */
export type IncidentChange =
    | { do: 'confirm' | 'ack'; reason?: string }
    | { do: 'note'; text: string }
    | { do: 'assign'; to: string; reason?: string }
    | { do: 'severity'; severity: Severity; reason: string }
    | { do: 'anchor'; anchor: string; at: string; reason: string }
    | { do: 'merge'; into: string; reason?: string }
    | { do: 'move'; to: IncidentState; reason: string };

function send(id: string, change: IncidentChange): Promise<Incident> {
    const params = { path: { id } };
    const because = (reason: string | undefined) => (reason ? { reason } : {});
    switch (change.do) {
        case 'confirm':
            return answered(api.POST('/v1/incidents/{id}/confirm', { params, body: signed(because(change.reason)) }));
        case 'ack':
            return answered(api.POST('/v1/incidents/{id}/ack', { params, body: signed(because(change.reason)) }));
        case 'note':
            return answered(api.POST('/v1/incidents/{id}/notes', { params, body: signed({ text: change.text }) }));
        case 'assign':
            return answered(
                api.POST('/v1/incidents/{id}/assign', {
                    params,
                    body: signed({ to: change.to, ...because(change.reason) }),
                }),
            );
        case 'severity':
            return answered(
                api.POST('/v1/incidents/{id}/severity', {
                    params,
                    body: signed({ severity: change.severity, reason: change.reason }),
                }),
            );
        case 'anchor':
            return answered(
                api.POST('/v1/incidents/{id}/anchor', {
                    params,
                    body: signed({ anchor: change.anchor, at: change.at, reason: change.reason }),
                }),
            );
        case 'merge':
            return answered(
                api.POST('/v1/incidents/{id}/merge', {
                    params,
                    body: signed({ into: change.into, ...because(change.reason) }),
                }),
            );
        case 'move':
            return answered(
                api.POST('/v1/incidents/{id}/move', {
                    params,
                    body: signed({ to: change.to, reason: change.reason }),
                }),
            );
    }
}

export const useIncidentChange = (id: string) => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (change: IncidentChange) => send(id, change),
        onSuccess: (incident) => {
            cache.setQueryData(keys.incident(id), incident);
            void cache.invalidateQueries({ queryKey: keys.incidents });
            void cache.invalidateQueries({ queryKey: keys.now });
        },
    });
};

export interface Declaration {
    title: string;
    class: FailureClass;
    severity?: Severity;
    kind?: IncidentKind;
    agent?: string;
    tool?: string;
    reason: string;
}

export const useDeclare = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: Declaration) => answered(api.POST('/v1/incidents', { body: signed(body) })),
        onSuccess: (incident) => {
            cache.setQueryData(keys.incident(incident.id), incident);
            void cache.invalidateQueries({ queryKey: keys.incidents });
            void cache.invalidateQueries({ queryKey: keys.now });
        },
    });
};

export const useTestNotice = () => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (channel: string) => answered(api.POST('/v1/notices/test', { body: { channel } })),
        onSettled: () => void cache.invalidateQueries({ queryKey: keys.notices }),
    });
};
