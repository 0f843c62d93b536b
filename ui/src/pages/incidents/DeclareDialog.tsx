// Declaring an incident by hand.
import { Button, Modal, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';

import { ApiError } from '../../api/client';
import { useAgents, useDeclare } from '../../api/queries';
import { type FailureClass, type IncidentKind, type Severity, failureClasses, severities } from '../../api/types';
import { classTitle } from '../../format/words';
import { InlineError } from '../../parts/layout';
import { useAccess } from '../../shell/access';
import css from './incidents.module.css';

export function DeclareDialog({ onClose }: { onClose: () => void }) {
    const declare = useDeclare();
    const navigate = useNavigate();
    const { withToken, ask } = useAccess();
    const agents = useAgents().data?.agents ?? [];
    const [title, setTitle] = useState('');
    const [reason, setReason] = useState('');
    const [failureClass, setClass] = useState<FailureClass>('intent');
    const [severity, setSeverity] = useState<Severity>('SEV2');
    const [kind, setKind] = useState<IncidentKind>('real');
    const [agent, setAgent] = useState('');
    const submit = (event: FormEvent): void => {
        event.preventDefault();
        withToken(() =>
            declare.mutate(
                { title: title.trim(), class: failureClass, severity, kind, reason: reason.trim(), ...(agent ? { agent } : {}) },
                {
                    onSuccess: ({ id }) => void navigate(`/incidents/${id}`),
                    onError: (error) => {
                        if (error instanceof ApiError && error.status === 401) ask();
                    },
                },
            ),
        );
    };
    return (
        <Modal opened onClose={onClose} title="Declare an incident" size="lg">
            <form className={css.fields} onSubmit={submit}>
                <TextInput data-autofocus required maxLength={300} label="What is happening to whom" placeholder="refund-agent pays twice" value={title} onChange={(event) => setTitle(event.currentTarget.value)} />
                <div className={css.pair}>
                    <NativeSelect label="Class" value={failureClass} data={failureClasses.map((value) => ({ value, label: classTitle[value] }))} onChange={(event) => setClass(event.currentTarget.value as FailureClass)} />
                    <NativeSelect label="Severity" description="If unsure, take the higher" value={severity} data={[...severities]} onChange={(event) => setSeverity(event.currentTarget.value as Severity)} inputWrapperOrder={['label', 'input', 'description']} />
                    <NativeSelect label="Agent" value={agent} data={[{ value: '', label: 'Not known' }, ...agents.map(({ name }) => name)]} onChange={(event) => setAgent(event.currentTarget.value)} />
                    <NativeSelect label="Kind" value={kind} data={[{ value: 'real', label: 'Real' }, { value: 'drill', label: 'Drill' }, { value: 'chaos', label: 'Chaos' }]} onChange={(event) => setKind(event.currentTarget.value as IncidentKind)} />
                </div>
                <Textarea required maxLength={2000} autosize minRows={2} label="How do you know" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
                {declare.error && <InlineError>{declare.error.message}</InlineError>}
                <div><Button type="submit" loading={declare.isPending}>Declare</Button></div>
            </form>
        </Modal>
    );
}
