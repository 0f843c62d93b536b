// What was written meanwhile: suspect calls first, with why, whether they can be undone, and how.
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';

import { useLedger } from '../../api/verify';
import type { LedgerRow } from '../../api/types';
import { count, plural } from '../../format/number';
import { Failure, Panel, partsCss, Waiting } from '../../parts/layout';
import { At } from '../../parts/When';
import css from './incident.module.css';
import { traceLink } from './links';

const shownFirst = 8;
const shownMore = 50;

const reversibilityTitle: Record<LedgerRow['reversibility'], string> = {
    unknown: 'reversibility unknown', read_only: 'read only', reversible: 'reversible', externally_reversible: 'reversible outside', irreversible: 'irreversible',
};
const stateTitle: Record<LedgerRow['state'], string> = {
    requested: 'No answer seen', recorded: 'Done, as answered', confirmed: 'Confirmed', disproved: 'Disproved', failed: 'Failed', unknown: 'Unknown: cut off', refused: 'Refused',
};

export function Ledger({ incident }: { incident: string }) {
    const { data, error, refetch } = useLedger(incident);
    const [which, setWhich] = useState<'suspect' | 'all'>('suspect');
    const [tool, setTool] = useState('');
    const [shownMax, setShownMax] = useState(shownFirst);
    const tools = [...new Set(data?.rows.map((row) => row.tool))].sort();
    const rows = (data?.rows ?? [])
        .filter((row) => (which === 'all' || row.suspect) && (!tool || row.tool === tool))
        .sort((a, b) => Number(b.suspect) - Number(a.suspect) || a.at.localeCompare(b.at));
    return (
        <Panel title="What was written meanwhile" id="ledger" aside={data && `${plural(data.suspects, 'suspect')} of ${plural(data.calls, 'call')}`} flush={(data?.calls ?? 0) > 0}>
            {error && !data ? <Failure error={error} what="the ledger" retry={() => void refetch()} /> : !data ? <Waiting what="the ledger" /> : (
                <>
                    <p className={data.calls > 0 ? css.more : ''} data-testid="ledger-sentence">{data.sentence}</p>
                    {data.unreadable > 0 && <p className={`${css.more} ${css.running}`}>{plural(data.unreadable, 'stored item')} cannot be read; a write may be among them.</p>}
                    {data.calls > 0 && (
                        <>
                            <Totals totals={data.totals} />
                            <div className={`${css.filters} ${css.more}`} role="group" aria-label="Show calls">
                                <button type="button" aria-pressed={which === 'suspect'} onClick={() => setWhich('suspect')}>Suspect</button>
                                <button type="button" aria-pressed={which === 'all'} onClick={() => setWhich('all')}>All</button>
                                {tools.length > 1 && tools.map((name) => (
                                    <button key={name} type="button" aria-pressed={tool === name} onClick={() => setTool(tool === name ? '' : name)}>{name}</button>
                                ))}
                            </div>
                            <ul data-testid="ledger">
                                {rows.slice(0, shownMax).map((row) => (
                                    <li key={`${row.correlation} ${row.span_id ?? row.tool_call_id ?? ''} ${row.at}`} className={css.finding}>
                                        <Call row={row} incident={incident} />
                                    </li>
                                ))}
                                {rows.length === 0 && <li className={`${css.more} dim`}>{which === 'suspect' ? 'Nothing speaks against any of these calls.' : 'No call fits.'}</li>}
                            </ul>
                            {rows.length > shownMax && (
                                <div className={css.more}><Button variant="subtle" size="compact-sm" onClick={() => setShownMax(shownMax + shownMore)}>Show {Math.min(shownMore, rows.length - shownMax)} more</Button></div>
                            )}
                        </>
                    )}
                </>
            )}
        </Panel>
    );
}

function Totals({ totals }: { totals: { reversibility: string; calls: number; suspects: number; failed: number; unknown: number }[] }) {
    return (
        <p className={`${css.findingFacts} ${css.more}`}>
            {totals.filter(({ calls }) => calls > 0).map(({ reversibility, calls, suspects, unknown }) => (
                <span key={reversibility}>
                    <strong>{reversibilityTitle[reversibility as LedgerRow['reversibility']] ?? reversibility}</strong> {count(calls)}
                    {suspects > 0 && `, ${count(suspects)} suspect`}{unknown > 0 && `, ${count(unknown)} unknown`}
                </span>
            ))}
        </p>
    );
}

function Call({ row, incident }: { row: LedgerRow; incident: string }) {
    const hard = row.reversibility === 'irreversible' || row.reversibility === 'unknown';
    return (
        <>
            <h3>
                <code>{row.tool}</code>
                {row.suspect && <span className={`${partsCss.chip} ${partsCss.hot}`}>Suspect</span>}
                <span className={`${partsCss.chip} ${hard ? partsCss.hot : ''}`}>{reversibilityTitle[row.reversibility]}</span>
                <span className={partsCss.chip}>{stateTitle[row.state]}</span>
            </h3>
            {row.reasons.map((reason) => <p key={reason}>{reason}</p>)}
            <p className={css.findingFacts}>
                <At at={row.at} />
                {row.agent && <span>{row.agent}</span>}
                {row.user && <span>for {row.user}</span>}
                {row.prompt_version && <span>{row.prompt_version}</span>}
                <span>{row.verdict_today === 'allow' ? 'would pass today' : row.verdict_today === 'unknown' ? 'today not known' : `today: ${row.verdict_today}`}{row.verdict_reason && ` (${row.verdict_reason})`}</span>
                {row.compensating_tool ? <span>undone by <code>{row.compensating_tool}</code></span> : row.suspect && <span>no compensating tool</span>}
                <Link to={traceLink(row, incident)} aria-label={`Trace of ${row.tool}`}>See the trace</Link>
            </p>
            {(row.arguments ?? row.result) && (
                <details className={css.details}>
                    <summary>Arguments and result{row.clipped && ', clipped'}</summary>
                    {row.arguments && <pre tabIndex={0} aria-label="Arguments">{row.arguments}</pre>}
                    {row.result && <pre tabIndex={0} aria-label="Result">{row.result}</pre>}
                </details>
            )}
        </>
    );
}
