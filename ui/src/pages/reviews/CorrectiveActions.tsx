// Corrective actions: who does what until when; overdue ones in red; closed only with evidence.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconCheck, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useActionChange } from '../../api/prevent';
import type { Action, ActionKind } from '../../api/types';
import { who } from '../../format/controls';
import { duration } from '../../format/time';
import { ChangeDialog } from '../../parts/ChangeDialog';
import dialog from '../../parts/dialog.module.css';
import { partsCss } from '../../parts/layout';
import { useNowMs } from '../../parts/ticking';
import { useAccess } from '../../shell/access';
import css from './reviews.module.css';

const kinds: { value: ActionKind; label: string }[] = [
    { value: 'prevent', label: 'Prevent: it cannot happen again' },
    { value: 'mitigate', label: 'Mitigate: it hurts less' },
    { value: 'detect', label: 'Detect: it is seen earlier' },
];
const dueDays = 14;

const dayAfter = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

export function ActionRows({ actions, withIncident }: { actions: readonly Action[]; withIncident?: boolean }) {
    const { withToken } = useAccess();
    const change = useActionChange();
    const [closing, setClosing] = useState<Action | null>(null);
    const [evidence, setEvidence] = useState('');
    return (
        <>
            <ul className={css.actionRows} data-testid="actions">
                {actions.map((action) => (
                    <li key={action.id} className={action.overdue ? css.overdue : ''}>
                        <div>
                            <p><strong>{action.title}</strong></p>
                            <p className={css.meta}>
                                <span>{action.id}</span>
                                <span className={partsCss.chip}>{action.kind}</span>
                                <span>{action.owner}</span>
                                <Due action={action} />
                                {withIncident && <Link to={`/incidents/${action.incident}`}>{action.incident}</Link>}
                            </p>
                            {action.evidence && <p className={css.meta}><span>closed by {who(action.closed_by)}: {action.evidence}</span></p>}
                        </div>
                        {action.state === 'open' && (
                            <Button
                                variant="default"
                                size="compact-md"
                                leftSection={<IconCheck size={15} aria-hidden />}
                                aria-label={`Close ${action.id}`}
                                onClick={() => withToken(() => {
                                    setEvidence('');
                                    setClosing(action);
                                })}
                            >
                                Close
                            </Button>
                        )}
                    </li>
                ))}
            </ul>
            {closing && (
                <ChangeDialog
                    title={`Close ${closing.id}`}
                    lead={<p><strong>{closing.title}</strong></p>}
                    submit="Close it"
                    reason={null}
                    disabled={!evidence.trim()}
                    run={() => change.mutateAsync({ do: 'close', id: closing.id, evidence: evidence.trim() })}
                    onClose={() => setClosing(null)}
                >
                    <TextInput data-autofocus label="What shows that it was done" description="A link, a commit, a regression case" required maxLength={2000} value={evidence} onChange={(event) => setEvidence(event.currentTarget.value)} />
                </ChangeDialog>
            )}
        </>
    );
}

function Due({ action }: { action: Action }) {
    const left = Date.parse(action.due) - useNowMs();
    const day = action.due.slice(0, 10);
    if (action.state === 'closed') return <span>closed</span>;
    return action.overdue ? <strong className={css.bad}>overdue since {duration(-left)}, was due {day}</strong> : <span>due {day}, in {duration(left)}</span>;
}

/** Adds an action to `incident`, or to one that the person names. */
export function AddAction({ incident, among = [] }: { incident?: string; among?: readonly { id: string; title: string }[] }) {
    const { withToken } = useAccess();
    const change = useActionChange();
    const [open, setOpen] = useState(false);
    const [title, setTitle] = useState('');
    const [kind, setKind] = useState<ActionKind>('prevent');
    const [owner, setOwner] = useState('');
    const [due, setDue] = useState(dayAfter(dueDays));
    const [chosen, setChosen] = useState(incident ?? '');
    return (
        <>
            <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => withToken(() => setOpen(true))}>Add an action</Button>
            {open && (
                <ChangeDialog
                    title="Add a corrective action"
                    submit="Add it"
                    reason={null}
                    disabled={!title.trim() || !owner.trim() || !due || !chosen}
                    run={() => change.mutateAsync({ do: 'add', draft: { incident: chosen, title: title.trim(), kind, owner: owner.trim(), due: new Date(`${due}T17:00:00`).toISOString() } })}
                    done={() => setTitle('')}
                    onClose={() => setOpen(false)}
                >
                    {!incident && (
                        <NativeSelect label="Incident" required value={chosen} data={[{ value: '', label: 'Choose an incident' }, ...among.map(({ id, title: about }) => ({ value: id, label: `${id} ${about}`.slice(0, 90) }))]} onChange={(event) => setChosen(event.currentTarget.value)} />
                    )}
                    <TextInput data-autofocus label="What is to be done" required maxLength={300} value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
                    <NativeSelect label="What for" value={kind} data={kinds} onChange={(event) => setKind(event.currentTarget.value as ActionKind)} />
                    <div className={dialog.pair}>
                        <TextInput label="Owner" required maxLength={200} value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
                        <TextInput type="date" label="Due" required value={due} onChange={(event) => setDue(event.currentTarget.value)} />
                    </div>
                </ChangeDialog>
            )}
        </>
    );
}
