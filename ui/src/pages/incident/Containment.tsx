// What the playbooks did or propose for this incident, and the controls that belong to it.
import { Button } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { Link } from 'react-router';

import { useIncidentContainment } from '../../api/containment';
import type { Control, Incident, Proposal } from '../../api/types';
import { controlVerb, modeTitle, scopeText, who } from '../../format/controls';
import { hasEnded } from '../../format/words';
import { Failure, Panel, partsCss, Waiting } from '../../parts/layout';
import { ProofChip } from '../../parts/Proof';
import { At } from '../../parts/When';
import { useStop } from '../../shell/stop';
import { ControlCard } from '../containment/ControlCard';
import css from './incident.module.css';

export function Containment({ incident }: { incident: Incident }) {
    const { data, error, refetch } = useIncidentContainment(incident.id);
    const stop = useStop();
    const open = data?.controls.filter(({ state }) => state !== 'released') ?? [];
    const released = data?.controls.filter(({ state }) => state === 'released') ?? [];
    return (
        <Panel
            title="Containment"
            id="containment"
            aside={
                <Button variant="subtle" size="compact-xs" onClick={() => stop({ scope: '', reason: incident.title, incident: incident.id })}>Stop something else</Button>
            }
        >
            {error && !data ? <Failure error={error} what="the containment" retry={() => void refetch()} /> : !data ? <Waiting what="the containment" /> : (
                <div className={css.sections} data-testid="containment">
                    {open.map((control) => <ControlCard key={control.id} control={control} bare />)}
                    {data.proposals.length > 0 && (
                        <ul className={css.proposals} aria-label="What the playbooks say">
                            {data.proposals.map((proposal) => (
                                <li key={`${proposal.rule} ${proposal.scope ?? ''} ${proposal.mode ?? ''}`}>
                                    <ProposalLine proposal={proposal} incident={incident} controls={data.controls} />
                                </li>
                            ))}
                        </ul>
                    )}
                    {released.map((control) => (
                        <p key={control.id} className="dim">
                            <Link to={`/containment/${control.id}`}>{control.id}</Link> {modeTitle[control.mode].toLowerCase()} {scopeText(control.scope)}: released <At at={control.released_at} /> by {who(control.released_by)}
                        </p>
                    ))}
                    {data.controls.length + data.proposals.length === 0 && <p className="dim">Nothing was stopped for it, and no playbook of tagout.yaml fits its class and severity.</p>}
                </div>
            )}
        </Panel>
    );
}

function ProposalLine({ proposal, incident, controls }: { proposal: Proposal; incident: Incident; controls: Control[] }) {
    const stop = useStop();
    const { scope, mode, route_to: routeTo, enforcement, rule, sentence } = proposal;
    const done = controls.find(({ id, state }) => id === proposal.control && state !== 'released');
    // A playbook that only observes leaves the enforcing to a person.
    const offered = scope !== undefined && mode !== undefined && (!done || done.mode === 'observe') && !hasEnded(incident.state);
    return (
        <>
            <div>
                <p>{sentence}</p>
                <p className={css.findingFacts}>
                    <span className={partsCss.chip}>{enforcement === 'enforce' ? 'Enforces by itself' : 'Observes first'}</span>
                    <span>{rule}</span>
                    {done && <><Link to={`/containment/${done.id}`}>{done.id}</Link><ProofChip control={done} /></>}
                </p>
            </div>
            {offered && (
                <Button
                    color="stop"
                    variant="light"
                    leftSection={<IconHandStop size={16} aria-hidden />}
                    onClick={() => stop({ scope, mode, reason: incident.title, incident: incident.id, ...(routeTo ? { routeTo } : {}) })}
                >
                    {controlVerb(mode, scope, routeTo)}
                </Button>
            )}
        </>
    );
}
