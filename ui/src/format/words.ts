// Tagout's words for people: states, classes, signals, what to do next.
import type { FailureClass, IncidentState, IncidentSummary, SessionOutcome } from '../api/types';

export const classTitle: Record<FailureClass, string> = {
    intent: 'Intent',
    tool: 'Tool misuse',
    context: 'Context drift',
    safety: 'Safety',
    cost: 'Cost & latency',
};

export const classQuestion: Record<FailureClass, string> = {
    intent: 'Does it do what was asked?',
    tool: 'Are its calls valid?',
    context: 'Does it still know where it is?',
    safety: 'Whom does it obey?',
    cost: 'What does it burn?',
};

export const stateTitle: Record<IncidentState, string> = {
    signal: 'Signal',
    triage: 'Triage',
    declared: 'Declared',
    contained: 'Contained',
    recovering: 'Recovering',
    verifying: 'Verifying',
    resolved: 'Resolved',
    review: 'In review',
    closed: 'Closed',
    false_positive: 'False positive',
    merged: 'Merged',
    cancelled: 'Cancelled',
};

/** What a person says when they move an incident there. */
export const moveVerb: Record<IncidentState, string> = {
    signal: 'Back to signal',
    triage: 'Take into triage',
    declared: 'Declare',
    contained: 'Mark contained',
    recovering: 'Start recovery',
    verifying: 'Start verifying',
    resolved: 'Resolve',
    review: 'Open the review',
    closed: 'Close',
    false_positive: 'False positive',
    merged: 'Merge',
    cancelled: 'Cancel',
};

export const moveMeaning: Record<IncidentState, string> = {
    signal: 'Nobody needs to look yet.',
    triage: 'Somebody looks whether it is real.',
    declared: 'It is real: people are told and the clock runs.',
    contained: 'The harm has stopped. Say how you know.',
    recovering: 'The last known good is being restored.',
    verifying: 'Users are served again; writes and policy are being checked.',
    resolved: 'Users are no longer affected.',
    review: 'The review is being written.',
    closed: 'Nothing is left to do.',
    false_positive: 'It was not real. It leaves the statistics.',
    merged: 'It is part of another incident.',
    cancelled: 'It should not have been opened.',
};

/** Moves out of an ended incident open it again. */
export function isReopening(from: IncidentState, to: IncidentState): boolean {
    return to === 'declared' && hasEnded(from);
}

export function hasEnded(state: IncidentState): boolean {
    return ['resolved', 'review', 'closed', 'false_positive', 'merged', 'cancelled'].includes(state);
}

export const outcomeTitle: Record<SessionOutcome, string> = {
    succeeded: 'Succeeded',
    failed: 'Failed',
    abandoned: 'Abandoned',
    denied: 'Denied',
    unknown: 'Unknown',
};

/** "tool.4xx_spike" -> "4xx spike". */
export function signalTitle(signal: string): string {
    const name = signal.slice(signal.indexOf('.') + 1).replaceAll('_', ' ');
    return name.charAt(0).toUpperCase() + name.slice(1);
}

/** An incident whose last finding is younger than this is still going on. */
export const stillMs = 2 * 60_000;

export function isStillGoingOn(incident: Pick<IncidentSummary, 'last_finding_at' | 'state'>, nowMs: number): boolean {
    return !hasEnded(incident.state) && nowMs - Date.parse(incident.last_finding_at) < stillMs;
}

/** Who it happens to: "refund-agent · refund.issue". */
export function subject(incident: Pick<IncidentSummary, 'agent' | 'tool' | 'workflow'>): string {
    return [incident.agent, incident.tool ?? incident.workflow].filter(Boolean).join(' · ');
}

/** When it began, by the best anchor there is. */
export function beganAt(incident: Pick<IncidentSummary, 'anchors' | 'last_finding_at'>): string {
    const { onset_at, signal_at, triage_at, declared_at } = incident.anchors;
    return onset_at ?? signal_at ?? triage_at ?? declared_at ?? incident.last_finding_at;
}

export type NextStep =
    | { do: 'confirm'; label: string; why: string }
    | { do: 'ack'; label: string; why: string }
    | { do: 'move'; to: IncidentState; label: string; why: string }
    | { do: 'look'; label: string; why: string };

/** The one thing that a person should do now; the incident's page has all of them. */
export function nextStep(incident: Pick<IncidentSummary, 'state' | 'acked_by' | 'anchors' | 'tool' | 'agent'>): NextStep {
    const acked = Boolean(incident.acked_by ?? incident.anchors.acked_at);
    const target = incident.tool ?? incident.agent ?? 'the agent';
    switch (incident.state) {
        case 'signal':
        case 'triage':
            return { do: 'confirm', label: 'Confirm', why: 'Look at the evidence. If it is real, confirm it: people are told then.' };
        case 'declared':
            return acked
                ? { do: 'move', to: 'contained', label: 'Mark contained', why: `Stop the harm at ${target}, then mark it contained.` }
                : { do: 'ack', label: 'Acknowledge', why: 'Nobody is on it yet. Acknowledge, so that others know you are.' };
        case 'contained':
            return { do: 'move', to: 'recovering', label: 'Start recovery', why: 'It is stopped. Restore the last known good.' };
        case 'recovering':
            return { do: 'move', to: 'verifying', label: 'Start verifying', why: 'When users are served again, check what was written meanwhile.' };
        case 'verifying':
            return { do: 'move', to: 'resolved', label: 'Resolve', why: 'When nothing wrong is left, resolve it.' };
        case 'resolved':
            return { do: 'move', to: 'review', label: 'Open the review', why: 'Write down what happened while it is fresh.' };
        case 'review':
            return { do: 'move', to: 'closed', label: 'Close', why: 'When the review is done, close it.' };
        case 'closed':
            return { do: 'look', label: 'Closed', why: 'Nothing is left to do.' };
        case 'merged':
            return { do: 'look', label: 'Merged', why: 'Work goes on in the incident it was merged into.' };
        case 'false_positive':
        case 'cancelled':
            return { do: 'look', label: stateTitle[incident.state], why: 'It was not real. It can be opened again.' };
    }
}
