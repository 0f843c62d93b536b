// The list's filter and its form in the address, so that a view can be sent to somebody.
import type { IncidentFilter } from '../../api/queries';
import { failureClasses, kinds, severities } from '../../api/types';

/** Named choices of states: what people look for, and what the API is asked. */
export const stateChoices = [
    { value: '', label: 'Listed', asks: undefined },
    { value: 'open', label: 'Open', asks: 'triage,declared,contained,recovering,verifying' },
    { value: 'ended', label: 'Resolved and closed', asks: 'resolved,review,closed' },
    { value: 'dismissed', label: 'Dismissed', asks: 'false_positive,merged,cancelled' },
    { value: 'signal', label: 'Signals', asks: 'signal' },
    { value: 'all', label: 'All', asks: 'all' },
] as const;

const oneOf = <T extends string>(all: readonly T[], value: string | null): T | undefined => all.find((each) => each === value);

export function filterOf(query: URLSearchParams): IncidentFilter {
    const filter: IncidentFilter = {};
    const state = stateChoices.find(({ value }) => value === (query.get('state') ?? ''))?.asks;
    const failureClass = oneOf(failureClasses, query.get('class'));
    const severity = oneOf(severities, query.get('severity'));
    const kind = oneOf(kinds, query.get('kind'));
    const text = query.get('text')?.trim().slice(0, 200);
    if (state) filter.state = state;
    if (failureClass) filter.class = failureClass;
    if (severity) filter.severity = severity;
    if (kind) filter.kind = kind;
    if (text) filter.text = text;
    return filter;
}

/** The address with one part changed; an empty value takes the part away. */
export function withPart(query: URLSearchParams, name: string, value: string): URLSearchParams {
    const next = new URLSearchParams(query);
    if (value) next.set(name, value);
    else next.delete(name);
    return next;
}
