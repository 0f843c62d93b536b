// The one stop that the page offers for an incident: what a playbook proposes, else what it is about.
import type { ControlMode, IncidentSummary, Proposal } from '../api/types';

export interface Recommendation {
    scope: string;
    mode: ControlMode;
    routeTo?: string;
    why: string;
}

/** Stopping is offered until recovery begins: what is released then must not be the first thing to be stopped again. */
const before: readonly string[] = ['signal', 'triage', 'declared', 'contained'];

export function recommend(
    incident: Pick<IncidentSummary, 'state' | 'tool' | 'agent'>,
    proposals: readonly Proposal[],
): Recommendation | null {
    if (!before.includes(incident.state)) return null;
    for (const { scope, mode, route_to, sentence } of proposals) {
        if (scope && mode && mode !== 'observe') return { scope, mode, why: sentence, ...(route_to ? { routeTo: route_to } : {}) };
    }
    if (incident.tool) return { scope: `tool:${incident.tool}`, mode: 'stopped', why: 'The findings are about this tool. Everything else goes on.' };
    if (incident.agent) return { scope: `agent:${incident.agent}`, mode: 'stopped', why: 'The findings are about this agent.' };
    return null;
}
