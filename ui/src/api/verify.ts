// The ledger of what was written, and the sealed evidence.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { ApiError, answered, api, errorOf } from './client';
import { keys } from './keys';
import { signed } from './token';

const rowsMax = 1000;

export const useLedger = (incident: string) =>
    useQuery({
        queryKey: keys.ledger(incident),
        queryFn: ({ signal }) =>
            answered(api.GET('/v1/incidents/{id}/ledger', { params: { path: { id: incident }, query: { limit: rowsMax } }, signal })),
        refetchInterval: 15_000,
    });

export const useEvidenceKey = () =>
    useQuery({
        queryKey: keys.evidenceKey,
        queryFn: ({ signal }) => answered(api.GET('/v1/evidence/key', { signal })),
        staleTime: Infinity,
    });

export interface Pack {
    name: string;
    bytes: number;
    sha256: string;
}

/** Gives a file to the reader's browser. */
export function handOver(content: Blob, name: string): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    // The browser reads it after this task.
    window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const nameIn = (disposition: string | null): string | undefined => /filename="?([\w.-]+)"?/.exec(disposition ?? '')?.[1];

export const useExportEvidence = (incident: string) => {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: async (reason: string): Promise<Pack> => {
            const { data, error, response } = await api
                .POST('/v1/incidents/{id}/evidence', { params: { path: { id: incident } }, body: signed({ reason }), parseAs: 'blob' })
                .catch(() => {
                    throw new ApiError(0, 'unreachable', `${window.location.host} did not answer. See that \`tagout serve\` runs, then export again.`);
                });
            if (!response.ok || !data) throw errorOf(response.status, error);
            const content = data as unknown as Blob;
            const name = nameIn(response.headers.get('Content-Disposition')) ?? `${incident}.tar`;
            handOver(content, name);
            return { name, bytes: content.size, sha256: response.headers.get('Tagout-Pack-Sha256') ?? '' };
        },
        onSuccess: () => void cache.invalidateQueries({ queryKey: keys.incident(incident) }),
    });
};
