// The dialogue of one action: its fields, the reason, and what the server said when it refused.
import { Button, Modal, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type FormEvent, useState } from 'react';

import { ApiError } from '../../api/client';
import { type IncidentChange, useIncidentChange, useIncidents } from '../../api/queries';
import { type Incident, type IncidentState, type Severity, severities } from '../../api/types';
import { isReopening, moveMeaning, moveVerb, stateTitle } from '../../format/words';
import { InlineError } from '../../parts/layout';
import { useAccess } from '../../shell/access';
import css from './incident.module.css';
import { anchorLabels } from './steps';

export type Asked =
    | { do: 'confirm' | 'assign' | 'severity' | 'merge' }
    | { do: 'move'; to?: IncidentState }
    | { do: 'anchor'; anchor: string };

interface Props {
    incident: Incident;
    asked: Asked;
    onClose: () => void;
}

const titles: Record<Asked['do'], string> = {
    confirm: 'Confirm', assign: 'Assign', severity: 'Set the severity', merge: 'Merge into another incident', move: 'Move', anchor: 'Correct a time',
};
const done: Record<Asked['do'], string> = {
    confirm: 'Confirmed.', assign: 'Assigned.', severity: 'Severity set.', merge: 'Merged.', move: 'Moved.', anchor: 'Time corrected.',
};

/** datetime-local speaks the reader's zone without saying so. */
function localInput(at: string | undefined): string {
    if (!at) return '';
    const when = new Date(at);
    return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

export function ActionDialog({ incident, asked, onClose }: Props) {
    const change = useIncidentChange(incident.id);
    const { ask } = useAccess();
    const [reason, setReason] = useState('');
    const [to, setTo] = useState(incident.assignee ?? '');
    const [severity, setSeverity] = useState<Severity>(incident.severity);
    const [into, setInto] = useState('');
    const [target, setTarget] = useState<IncidentState | undefined>(asked.do === 'move' ? (asked.to ?? incident.moves[0]) : undefined);
    const anchor = asked.do === 'anchor' ? anchorLabels.find(({ name }) => name === asked.anchor) : undefined;
    const [at, setAt] = useState(localInput(anchor ? incident.anchors[anchor.key] : undefined));
    const needsReason = ['severity', 'move', 'anchor'].includes(asked.do);

    const wanted = (): IncidentChange | undefined => {
        const because = reason.trim();
        switch (asked.do) {
            case 'confirm': return { do: 'confirm', reason: because };
            case 'assign': return { do: 'assign', to: to.trim(), reason: because };
            case 'severity': return { do: 'severity', severity, reason: because };
            case 'merge': return into ? { do: 'merge', into, reason: because } : undefined;
            case 'move': return target && { do: 'move', to: target, reason: because };
            case 'anchor': return at ? { do: 'anchor', anchor: asked.anchor, at: new Date(at).toISOString(), reason: because } : undefined;
        }
    };
    const submit = (event: FormEvent): void => {
        event.preventDefault();
        const what = wanted();
        if (!what) return;
        change.mutate(what, {
            onSuccess: () => {
                notifications.show({ message: `${incident.id}: ${done[asked.do]}` });
                onClose();
            },
            onError: (error) => {
                if (error instanceof ApiError && error.status === 401) ask();
            },
        });
    };
    return (
        <Modal opened onClose={onClose} title={`${titles[asked.do]}: ${incident.id}`}>
            <form className={css.fields} onSubmit={submit}>
                {asked.do === 'confirm' && <p className="dim">It is real. It is declared, the clock runs and the owner's channel is told.</p>}
                {asked.do === 'assign' && (
                    <TextInput data-autofocus required maxLength={200} label="To whom" placeholder="A person or team" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
                )}
                {asked.do === 'severity' && (
                    <NativeSelect data-autofocus label="Severity" description="If unsure, take the higher. It stays as you set it." value={severity} data={[...severities]} onChange={(event) => setSeverity(event.currentTarget.value as Severity)} />
                )}
                {asked.do === 'merge' && <MergeInto incident={incident} value={into} onChange={setInto} />}
                {asked.do === 'move' && <MoveTo incident={incident} value={target} onChange={setTarget} />}
                {anchor && (
                    <TextInput data-autofocus required type="datetime-local" step={1} label={`${anchor.label}, your local time`} value={at} onChange={(event) => setAt(event.currentTarget.value)} />
                )}
                <Textarea
                    label="Reason"
                    description={needsReason ? 'It goes into the timeline and the journal.' : 'Optional. It goes into the timeline and the journal.'}
                    required={needsReason}
                    maxLength={2000}
                    autosize
                    minRows={2}
                    maxRows={8}
                    value={reason}
                    onChange={(event) => setReason(event.currentTarget.value)}
                />
                {change.error && <InlineError>{change.error.message}</InlineError>}
                <div className={css.actions}>
                    <Button type="submit" loading={change.isPending} disabled={asked.do === 'merge' && !into}>
                        {asked.do === 'move' && target ? verbOf(incident, target) : titles[asked.do]}
                    </Button>
                    <Button variant="default" onClick={onClose}>Leave it</Button>
                </div>
            </form>
        </Modal>
    );
}

const verbOf = (incident: Incident, to: IncidentState): string => (isReopening(incident.state, to) ? 'Open again' : moveVerb[to]);

function MoveTo({ incident, value, onChange }: { incident: Incident; value: IncidentState | undefined; onChange: (to: IncidentState) => void }) {
    return (
        <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
            <legend className="dim" style={{ padding: 0, marginBottom: 8 }}>From {stateTitle[incident.state].toLowerCase()} to</legend>
            <div className={css.moves}>
                {incident.moves.map((to) => (
                    <label key={to} className={css.move}>
                        <input type="radio" name="move" value={to} checked={to === value} onChange={() => onChange(to)} />
                        <strong>{verbOf(incident, to)}</strong>
                        <span>{moveMeaning[to]}</span>
                    </label>
                ))}
            </div>
        </fieldset>
    );
}

function MergeInto({ incident, value, onChange }: { incident: Incident; value: string; onChange: (id: string) => void }) {
    const { data } = useIncidents({});
    const others = (data?.incidents ?? []).filter((each) => each.id !== incident.id);
    return (
        <NativeSelect
            data-autofocus
            label="Into"
            description="Findings and impact count there from then on."
            value={value}
            data={[{ value: '', label: 'Choose an incident' }, ...others.map((each) => ({ value: each.id, label: `${each.id} ${each.title}` }))]}
            onChange={(event) => onChange(event.currentTarget.value)}
        />
    );
}
