// Who and what is in it.
import type { ReactNode } from 'react';
import { Link } from 'react-router';

import type { Incident } from '../../api/types';
import { OwnerName } from '../../parts/chips';
import { Panel } from '../../parts/layout';
import css from './incident.module.css';

/** What the findings name, each once. */
function named(incident: Incident, pick: (finding: Incident['findings'][number]) => string | undefined): string[] {
    return [...new Set(incident.findings.map(pick).filter((each): each is string => Boolean(each)))];
}

export function Facts({ incident }: { incident: Incident }) {
    const { owner } = incident;
    const list = (names: string[], first?: string): ReactNode => [...new Set([...(first ? [first] : []), ...names])].join(', ') || undefined;
    const rows: [string, ReactNode][] = [
        ['Owner', <OwnerName key="owner" owner={owner} icon={false} />],
        ['Contact', owner.contact],
        ['Channel', owner.channel && <Link key="channel" to={`/notices?incident=${incident.id}`}>{owner.channel}</Link>],
        ['Assigned to', incident.assignee],
        ['Acknowledged', incident.acked_by?.replace(/^person:/, '')],
        ['Severity', incident.severity_reason],
        ['Agent', incident.agent && <Link key="agent" to={`/agents?name=${encodeURIComponent(incident.agent)}`}>{incident.agent}</Link>],
        ['Workflow', list(named(incident, (each) => each.workflow), incident.workflow)],
        ['Tool', list(named(incident, (each) => each.tool), incident.tool)],
        ['Model', list(named(incident, (each) => each.model))],
        ['Prompt', list(named(incident, (each) => each.prompt_version))],
        ['Service', list(named(incident, (each) => each.service), incident.service)],
        ['Environment', list(named(incident, (each) => each.environment), incident.environment)],
        ['Cause', incident.cause],
        ['Signals', incident.signals.join(', ')],
        ['Recurs', incident.recurrence_of && <Link key="recurs" to={`/incidents/${incident.recurrence_of}`}>{incident.recurrence_of}</Link>],
        ['Merged into', incident.merged_into && <Link key="merged" to={`/incidents/${incident.merged_into}`}>{incident.merged_into}</Link>],
    ];
    return (
        <Panel title="Facts" aside={<Link to={`/notices?incident=${incident.id}`}>Notices sent</Link>}>
            <dl className={css.table}>
                {rows.filter(([, value]) => value).map(([label, value]) => (
                    <div key={label} style={{ display: 'contents' }}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
            </dl>
        </Panel>
    );
}
