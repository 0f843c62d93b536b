import { IconSnowflake } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';

import { useFreezes } from '../../api/releases';
import type { Incident } from '../../api/types';
import { hasEnded, subject } from '../../format/words';
import { ClassChip, GoingOn, KindChip, OwnerName, SeverityChip, StateChip } from '../../parts/chips';
import { partsCss } from '../../parts/layout';
import { Since } from '../../parts/When';
import css from './incident.module.css';

export function Head({ incident, children }: { incident: Incident; children: ReactNode }) {
    const { anchors, acked_by: acked } = incident;
    const who = incident.assignee ?? acked?.replace(/^\w+:/, '');
    return (
        <header className={`${css.head} ${css[incident.severity]}`}>
            <p className={css.crumb}>
                <Link to="/incidents">Incidents</Link> / <span>{incident.id}</span>
            </p>
            <h1>{incident.title}</h1>
            <div className={css.chips}>
                <SeverityChip severity={incident.severity} />
                <StateChip state={incident.state} />
                {!hasEnded(incident.state) && <GoingOn incident={incident} />}
                <ClassChip name={incident.class} />
                <KindChip kind={incident.kind} />
                <FreezeBadge incident={incident.id} />
            </div>
            <p className={css.facts}>
                {subject(incident) && <span>{subject(incident)}</span>}
                <span><Since at={anchors.onset_at ?? anchors.signal_at} until={anchors.impact_ended_at ?? anchors.resolved_at} running /> since onset</span>
                {anchors.paged_at && <span><Since at={anchors.paged_at} until={anchors.resolved_at} running /> since people were told</span>}
                <OwnerName owner={incident.owner} />
                {who ? <span><strong>{who}</strong> is on it</span> : !hasEnded(incident.state) && <span><strong>Nobody is on it</strong></span>}
            </p>
            {children}
        </header>
    );
}

function FreezeBadge({ incident }: { incident: string }) {
    const freeze = useFreezes().data?.freezes.find((each) => each.incident === incident);
    if (!freeze) return null;
    return (
        <Link to="/releases" className={`${partsCss.chip} ${css.frozen}`} title={freeze.sentence} data-testid="freeze">
            <IconSnowflake size={13} stroke={1.75} aria-hidden />
            Changes frozen
        </Link>
    );
}
