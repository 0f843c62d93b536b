// The worst open incident, large, with the one thing to do next.
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowRight, IconHandStop } from '@tabler/icons-react';
import { Link } from 'react-router';

import { ApiError } from '../../api/client';
import { useIncidentChange } from '../../api/queries';
import type { IncidentSummary } from '../../api/types';
import { beganAt, nextStep, subject } from '../../format/words';
import { ClassChip, GoingOn, KindChip, OwnerName, SeverityChip, StateChip } from '../../parts/chips';
import { At, Since } from '../../parts/When';
import { useAccess } from '../../shell/access';
import { ImpactStats } from '../incident/ImpactStats';
import { StopNow, useIncidentStop } from '../incident/StopNow';
import css from './now.module.css';

export function Worst({ incident }: { incident: IncidentSummary }) {
    const next = nextStep(incident);
    const began = beganAt(incident);
    const { inForce, recommended } = useIncidentStop(incident);
    return (
        <section className={`${css.hero} ${css[incident.severity]}`} aria-label="Worst open incident" data-testid="situation">
            <div>
                <div className={css.chips}>
                    <SeverityChip severity={incident.severity} />
                    <GoingOn incident={incident} />
                    <StateChip state={incident.state} />
                    <ClassChip name={incident.class} />
                    <KindChip kind={incident.kind} />
                </div>
                <h1>
                    <Link to={`/incidents/${incident.id}`}>{incident.title}</Link>
                </h1>
                <p className={css.facts}>
                    <span>{incident.id}</span>
                    {subject(incident) && <span>{subject(incident)}</span>}
                    <span>since <At at={began} /></span>
                    <OwnerName owner={incident.owner} />
                    <Responder incident={incident} />
                </p>
            </div>
            <div className={css.clock}>
                <Since at={began} running />
                <span>since it began</span>
            </div>
            <div className={css.impact}>
                <ImpactStats impact={incident.impact} />
            </div>
            <div className={css.next}>
                <div className={css.nextButtons}>
                    <StopNow incident={incident} />
                    {next.do === 'ack' ? (
                        <AckButton id={incident.id} />
                    ) : (
                        <Button component={Link} to={`/incidents/${incident.id}`} size="md" variant={recommended ? 'default' : 'filled'} rightSection={<IconArrowRight size={17} aria-hidden />}>
                            {next.label}
                        </Button>
                    )}
                    {next.do === 'ack' && (
                        <Button component={Link} to={`/incidents/${incident.id}`} size="md" variant="default">
                            Open {incident.id}
                        </Button>
                    )}
                </div>
                <p>{recommended ? recommended.why : inForce.length > 0 && next.do === 'move' && next.to === 'contained' ? 'A stop is in force. When it is proved, mark the incident contained.' : next.why}</p>
            </div>
        </section>
    );
}

function Responder({ incident }: { incident: IncidentSummary }) {
    const who = incident.assignee ?? incident.acked_by?.replace(/^\w+:/, '');
    return who ? <span><strong>{who}</strong> is on it</span> : <span><strong>Nobody is on it</strong></span>;
}

export function AckButton({ id }: { id: string }) {
    const change = useIncidentChange(id);
    const { withToken, ask } = useAccess();
    const act = (): void =>
        change.mutate({ do: 'ack' }, {
            onSuccess: () => notifications.show({ message: `You are on ${id}.` }),
            onError: (error) => {
                if (error instanceof ApiError && error.status === 401) ask();
                else notifications.show({ color: 'red', title: 'Not acknowledged', message: error.message });
            },
        });
    return (
        <Button size="md" leftSection={<IconHandStop size={17} aria-hidden />} loading={change.isPending} onClick={() => withToken(act)}>
            Acknowledge
        </Button>
    );
}
