// What the evidence says: every kept finding with its sentence, and the way to its trace.
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';

import type { Finding, Incident } from '../../api/types';
import { count, observed, plural } from '../../format/number';
import { signalTitle } from '../../format/words';
import { Panel } from '../../parts/layout';
import { At } from '../../parts/When';
import css from './incident.module.css';
import { traceLink } from './links';

const shownFirst = 4;

/** Leaders first, and below each what only supports it; a supporter without its leader stands alone. */
export function inOrder(findings: readonly Finding[]): { finding: Finding; supports: boolean }[] {
    const known = new Set(findings.map(({ id }) => id));
    const isSupport = (finding: Finding): boolean => finding.explained_by !== undefined && known.has(finding.explained_by);
    return findings
        .filter((finding) => !isSupport(finding))
        .flatMap((leader) => [
            { finding: leader, supports: false },
            ...findings.filter(({ explained_by, id }) => explained_by === leader.id && id !== leader.id).map((finding) => ({ finding, supports: true })),
        ]);
}

export function Findings({ incident }: { incident: Incident }) {
    const [all, setAll] = useState(false);
    const rows = inOrder(incident.findings);
    // A link to a finding must find it.
    const wanted = decodeURIComponent(window.location.hash.slice(1));
    const shown = all || rows.slice(shownFirst).some(({ finding }) => finding.id === wanted) ? rows : rows.slice(0, shownFirst);
    return (
        <Panel
            title="What the evidence says"
            aside={plural(incident.finding_count, 'finding')}
            flush={rows.length > 0}
        >
            {rows.length === 0 ? (
                <p className="dim">No finding: it was declared by hand. Findings of this agent and class will join it.</p>
            ) : (
                <ul data-testid="findings">
                    {shown.map(({ finding, supports }) => (
                        <li key={finding.id} id={finding.id} className={`${css.finding} ${supports ? css.supports : ''}`}>
                            <h3>
                                {signalTitle(finding.signal)}
                                <span className={css.measure}>
                                    {observed(finding.observed, finding.unit)} <span>threshold {observed(finding.threshold, finding.unit)}</span>
                                </span>
                            </h3>
                            <p>{finding.evidence}</p>
                            <p className={css.findingFacts}>
                                <At at={finding.seen_at} />
                                {finding.tool && <span>{finding.tool}</span>}
                                {finding.step > 0 && <span>step {finding.step}</span>}
                                <span>{finding.outcome}{finding.outcome_reason && `: ${finding.outcome_reason}`}</span>
                                {finding.write_completed && <strong>a write completed</strong>}
                                {finding.sessions > 1 && <span>{plural(finding.sessions, 'session')}</span>}
                                {(finding.correlation || finding.trace_id) && (
                                    <Link to={traceLink(finding, incident.id)} aria-label={`Trace of ${finding.id}`}>See the trace</Link>
                                )}
                            </p>
                        </li>
                    ))}
                </ul>
            )}
            {rows.length > shown.length && (
                <div className={css.more}>
                    <Button variant="subtle" size="compact-sm" onClick={() => setAll(true)}>Show {rows.length - shown.length} more</Button>
                </div>
            )}
            {(all || rows.length <= shownFirst) && incident.finding_count > rows.length && rows.length > 0 && (
                <p className={`${css.more} dim`}>The first {count(rows.length)} are kept whole; the others are counted.</p>
            )}
        </Panel>
    );
}
