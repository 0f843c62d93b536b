// What a person can do now. Only the moves that the server lists are offered, and each needs the token.
import { Button, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowMerge, IconArrowRight, IconCheck, IconChevronDown, IconGauge, IconHandStop, IconUserPlus } from '@tabler/icons-react';
import { type Ref, useImperativeHandle, useState } from 'react';

import { ApiError } from '../../api/client';
import { useIncidentChange } from '../../api/queries';
import type { Incident, IncidentState } from '../../api/types';
import { hasEnded, isReopening, moveVerb, nextStep } from '../../format/words';
import { AccessNote, useAccess } from '../../shell/access';
import { ActionDialog, type Asked } from './ActionDialog';
import css from './incident.module.css';

export interface ActionsHandle {
    ack: () => void;
}

export function Actions({ incident, ref }: { incident: Incident; ref: Ref<ActionsHandle> }) {
    const [asked, setAsked] = useState<Asked | null>(null);
    const change = useIncidentChange(incident.id);
    const { withToken, ask } = useAccess();
    const next = nextStep(incident);
    const acked = Boolean(incident.acked_by ?? incident.anchors.acked_at);
    const ended = hasEnded(incident.state);

    const acknowledge = (): void =>
        withToken(() =>
            change.mutate({ do: 'ack' }, {
                onSuccess: () => notifications.show({ message: `You are on ${incident.id}.` }),
                onError: (error) => {
                    if (error instanceof ApiError && error.status === 401) ask();
                    else notifications.show({ color: 'red', title: 'Not acknowledged', message: error.message });
                },
            }),
        );
    const open = (what: Asked): void => withToken(() => setAsked(what));
    const moveTo = (to?: IncidentState): void => open({ do: 'move', ...(to ? { to } : {}) });
    useImperativeHandle(ref, () => ({ ack: () => { if (!acked && !ended) acknowledge(); } }));

    const canMoveNext = next.do === 'move' && incident.moves.includes(next.to);
    const reopen = incident.moves.find((to) => isReopening(incident.state, to));
    return (
        <>
            <div className={css.actions}>
                {next.do === 'confirm' && (
                    <Button leftSection={<IconCheck size={16} aria-hidden />} onClick={() => open({ do: 'confirm' })}>Confirm</Button>
                )}
                {canMoveNext && (
                    <Button rightSection={<IconArrowRight size={16} aria-hidden />} onClick={() => moveTo(next.to)}>{next.label}</Button>
                )}
                {!acked && !ended && (
                    <Button variant={next.do === 'ack' ? 'filled' : 'default'} leftSection={<IconHandStop size={16} aria-hidden />} loading={change.isPending} onClick={acknowledge}>
                        Acknowledge
                    </Button>
                )}
                <Button variant="default" leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => open({ do: 'assign' })}>Assign</Button>
                <Button variant="default" leftSection={<IconGauge size={16} aria-hidden />} onClick={() => open({ do: 'severity' })}>Severity</Button>
                <Menu position="bottom-start" withinPortal>
                    <Menu.Target>
                        <Button variant="default" rightSection={<IconChevronDown size={15} aria-hidden />} disabled={incident.moves.length === 0}>Move</Button>
                    </Menu.Target>
                    <Menu.Dropdown>
                        {incident.moves.map((to) => (
                            <Menu.Item key={to} onClick={() => moveTo(to)}>
                                {to === reopen ? 'Open again' : moveVerb[to]}
                            </Menu.Item>
                        ))}
                    </Menu.Dropdown>
                </Menu>
                {incident.state !== 'merged' && (
                    <Button variant="default" leftSection={<IconArrowMerge size={16} aria-hidden />} onClick={() => open({ do: 'merge' })}>Merge</Button>
                )}
                <p className={css.why}>{next.why}</p>
            </div>
            <AccessNote />
            {asked && <ActionDialog incident={incident} asked={asked} onClose={() => setAsked(null)} />}
        </>
    );
}
