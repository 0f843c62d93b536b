// The typed client of the control API. Every failure is an ApiError whose message says what to do.
import createClient from 'openapi-fetch';

import type { paths } from './schema';
import { token } from './token';

export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
    ) {
        super(message);
        this.name = 'ApiError';
    }
}

export const api = createClient<paths>({ baseUrl: window.location.origin });

api.use({
    onRequest({ request }) {
        const held = token();
        if (held && (request.method !== 'GET' || request.url.endsWith('/v1/token'))) {
            request.headers.set('Authorization', `Bearer ${held}`);
        }
        return request;
    },
});

interface Answer<T> {
    data?: T;
    error?: unknown;
    response: Response;
}

export function errorOf(status: number, body: unknown): ApiError {
    const error = (body as { error?: { code?: string; message?: string } } | undefined)?.error;
    if (error?.message) return new ApiError(status, error.code ?? 'unknown', error.message);
    return new ApiError(status, 'unknown', `The server answered ${status} and gave no reason. Its log may tell more.`);
}

/** The body of a 2xx answer, or an ApiError. */
export async function answered<T>(call: Promise<Answer<T>>): Promise<T> {
    let answer: Answer<T>;
    try {
        answer = await call;
    } catch (cause) {
        if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
        if (cause instanceof SyntaxError) {
            throw new ApiError(0, 'unreadable', `${window.location.host} answered something that is not JSON. Is there a proxy between?`);
        }
        throw new ApiError(
            0,
            'unreachable',
            `${window.location.host} does not answer. See that \`tagout serve\` runs and that this machine reaches it.`,
        );
    }
    if (!answer.response.ok || answer.data === undefined) throw errorOf(answer.response.status, answer.error);
    return answer.data;
}
