// One open incident in the first screen's list.
import { Link } from 'react-router';

import type { IncidentSummary } from '../../api/types';
import { count } from '../../format/number';
import { beganAt, nextStep } from '../../format/words';
import { GoingOn, KindChip, OwnerName, SeverityChip, StateChip } from '../../parts/chips';
import { Since } from '../../parts/When';
import css from './now.module.css';

export function IncidentCard({ incident }: { incident: IncidentSummary }) {
    const { impact } = incident;
    return (
        <Link to={`/incidents/${incident.id}`} className={css.card}>
            <div>
                <div className={css.chips}>
                    <SeverityChip severity={incident.severity} />
                    <StateChip state={incident.state} />
                    <GoingOn incident={incident} />
                    <KindChip kind={incident.kind} />
                </div>
                <h3 style={{ marginTop: 6 }}>{incident.title}</h3>
            </div>
            <div className={css.cardSide}>
                <strong>{count(impact.failed_sessions)}</strong>
                <span className="dim">failed</span>
            </div>
            <p className={css.cardFacts}>
                <span>{incident.id}</span>
                <Since at={beganAt(incident)} />
                <OwnerName owner={incident.owner} icon={false} />
                {incident.assignee && <span>{incident.assignee} is on it</span>}
                <span className={css.todo}>Next: {nextStep(incident).label.toLowerCase()}</span>
            </p>
        </Link>
    );
}
