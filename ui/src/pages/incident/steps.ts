// The way of an incident, node by node, with the anchor that says when each was reached.
import type { Anchors, IncidentState } from '../../api/types';

export type StepState = 'done' | 'current' | 'skipped' | 'ahead';

export interface Step {
    state: IncidentState;
    label: string;
    at: string | undefined;
    standing: StepState;
}

const way: { state: IncidentState; label: string; anchor: keyof Anchors }[] = [
    { state: 'signal', label: 'Detected', anchor: 'signal_at' },
    { state: 'triage', label: 'Triaged', anchor: 'triage_at' },
    { state: 'declared', label: 'Declared', anchor: 'declared_at' },
    { state: 'contained', label: 'Contained', anchor: 'contained_at' },
    { state: 'recovering', label: 'Recovering', anchor: 'recovery_started_at' },
    { state: 'verifying', label: 'Verifying', anchor: 'recovered_at' },
    { state: 'resolved', label: 'Resolved', anchor: 'resolved_at' },
    { state: 'review', label: 'Review', anchor: 'review_published_at' },
    { state: 'closed', label: 'Closed', anchor: 'closed_at' },
];

/** Dismissed and merged incidents left the way: no node is current, and what has a time was reached. */
export function stepsOf(state: IncidentState, anchors: Anchors): Step[] {
    const current = way.findIndex((each) => each.state === state);
    return way.map(({ state: each, label, anchor }, index) => {
        const at = anchors[anchor];
        let standing: StepState = 'ahead';
        if (index === current) standing = 'current';
        else if (current < 0) standing = at ? 'done' : 'ahead';
        else if (index < current) standing = at || index === 0 ? 'done' : 'skipped';
        // A reopened incident keeps the times of its first round; they are not ahead of it.
        return { state: each, label, at: standing === 'ahead' ? undefined : at, standing };
    });
}

export interface Interval {
    label: string;
    meaning: string;
    from: string | undefined;
    to: string | undefined;
}

/** The durations of the runbook, each between two anchors; unfinished ones run on. */
export function intervalsOf(anchors: Anchors): Interval[] {
    return [
        { label: 'To detect', meaning: 'onset to first signal', from: anchors.onset_at, to: anchors.signal_at },
        { label: 'To acknowledge', meaning: 'page to acknowledgement', from: anchors.paged_at, to: anchors.acked_at },
        { label: 'To contain', meaning: 'first signal to contained', from: anchors.signal_at, to: anchors.contained_at },
        { label: 'To recover', meaning: 'first signal to recovered', from: anchors.signal_at, to: anchors.recovered_at },
        { label: 'To resolve', meaning: 'declared to resolved', from: anchors.declared_at, to: anchors.resolved_at },
    ].filter(({ from }) => from !== undefined);
}

export const anchorLabels: { name: string; key: keyof Anchors; label: string }[] = [
    { name: 'onset', key: 'onset_at', label: 'Onset' },
    { name: 'signal', key: 'signal_at', label: 'First signal' },
    { name: 'triage', key: 'triage_at', label: 'Triage' },
    { name: 'declared', key: 'declared_at', label: 'Declared' },
    { name: 'paged', key: 'paged_at', label: 'People told' },
    { name: 'acked', key: 'acked_at', label: 'Acknowledged' },
    { name: 'contain_requested', key: 'contain_requested_at', label: 'Containment asked' },
    { name: 'contained', key: 'contained_at', label: 'Contained' },
    { name: 'recovery_started', key: 'recovery_started_at', label: 'Recovery began' },
    { name: 'recovered', key: 'recovered_at', label: 'Recovered' },
    { name: 'verified', key: 'verified_at', label: 'Verified' },
    { name: 'impact_ended', key: 'impact_ended_at', label: 'Impact ended' },
    { name: 'resolved', key: 'resolved_at', label: 'Resolved' },
    { name: 'review_published', key: 'review_published_at', label: 'Review published' },
    { name: 'closed', key: 'closed_at', label: 'Closed' },
];
