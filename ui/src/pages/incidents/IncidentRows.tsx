// Incidents as rows; the list page and the class dashboards show them alike.
import type { KeyboardEvent } from 'react';
import { Link } from 'react-router';

import type { IncidentSummary } from '../../api/types';
import { count } from '../../format/number';
import { beganAt, subject } from '../../format/words';
import { ClassIcon, KindChip, OwnerName, SeverityChip, StateChip } from '../../parts/chips';
import { Ago } from '../../parts/When';
import css from './incidents.module.css';

/** Arrow keys go from row to row. */
function step(event: KeyboardEvent<HTMLElement>): void {
    const direction = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (direction === undefined) return;
    const rows = [...event.currentTarget.querySelectorAll('a')];
    const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + direction))];
    if (!next) return;
    event.preventDefault();
    next.focus();
}

export function IncidentRows({ incidents }: { incidents: readonly IncidentSummary[] }) {
    return (
        <div>
            <div className={css.head} aria-hidden>
                <span>Severity</span>
                <span>Incident</span>
                <span>State</span>
                <span className={css.owner}>Owner</span>
                <span className={css.num}>Failed</span>
                <span className={css.num}>Began</span>
            </div>
            <ul className={css.list} onKeyDown={step} data-testid="incident-rows">
                {incidents.map((incident) => (
                    <li key={incident.id}>
                        <Link to={`/incidents/${incident.id}`} className={css.row}>
                            <span><SeverityChip severity={incident.severity} /></span>
                            <span className={css.title}>
                                <strong>{incident.title}</strong>
                                <span className={css.meta}>
                                    <span>{incident.id}</span>
                                    <ClassIcon name={incident.class} />
                                    {subject(incident) && <span>{subject(incident)}</span>}
                                    <KindChip kind={incident.kind} />
                                </span>
                            </span>
                            <span className={css.state}><StateChip state={incident.state} /></span>
                            <span className={`${css.cell} ${css.owner}`}><OwnerName owner={incident.owner} icon={false} /></span>
                            <span className={`${css.num} ${css.failed}`}>
                                <span className="visually-hidden">failed sessions </span>
                                {count(incident.impact.failed_sessions)}
                            </span>
                            <span className={`${css.num} ${css.when}`}><Ago at={beganAt(incident)} /></span>
                        </Link>
                    </li>
                ))}
            </ul>
        </div>
    );
}
