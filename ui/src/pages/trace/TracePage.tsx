// A stored trace as a waterfall: the tree at the left, bars on one time axis, findings on their steps.
import { Button, TextInput } from '@mantine/core';
import { IconBinaryTree } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { useTrace } from '../../api/queries';
import type { Trace, TraceEvent } from '../../api/types';
import { count, usd } from '../../format/number';
import { signalTitle } from '../../format/words';
import { Empty, Failure, Page, Panel, Stat, Waiting } from '../../parts/layout';
import { At } from '../../parts/When';
import { timeAxis } from '../../trace/axis';
import { buildTree, repeats, type TraceRow } from '../../trace/tree';
import css from './trace.module.css';

const indentPx = 14;
const indentMax = 8;

function took(ms: number): string {
    return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function Row({ row, at, chosen, repeated, choose }: { row: TraceRow; at: (ms: number) => number; chosen: boolean; repeated: number; choose: () => void }) {
    const { event } = row;
    const failed = event.status === 'error';
    const from = at(row.startMs);
    const to = at(row.endMs);
    const right = to < 0.8;
    return (
        <li>
            <button
                type="button"
                className={`${css.row} ${event.findings.length > 0 ? css.marked : ''}`}
                aria-pressed={chosen}
                onClick={choose}
                data-testid={event.findings.length > 0 ? 'marked-step' : 'step'}
                id={`step-${event.span_id}`}
            >
                <span className={css.name} style={{ paddingLeft: Math.min(row.depth, indentMax) * indentPx }}>
                    <span className={css.kind}>{event.kind}</span>
                    <span>{event.tool && event.kind === 'tool' ? event.tool : event.name}</span>
                    {failed && <span className={css.bad}>✕ {event.outcome}</span>}
                    {repeated > 0 && <span className={css.bad}>same args ×{repeated + 1}</span>}
                </span>
                <span className={css.track}>
                    <span className={`${css.bar} ${failed ? css.failed : ''}`} style={{ left: `${from * 100}%`, width: `${Math.max(0, to - from) * 100}%` }} />
                    <span className={css.took} style={right ? { left: `calc(${to * 100}% + 6px)` } : { right: `calc(${(1 - from) * 100}% + 6px)` }}>
                        {took(event.duration_ms)}
                    </span>
                </span>
                {event.findings.map((finding) => (
                    <span key={finding.id} className={css.mark}>▲ {signalTitle(finding.signal)}: {finding.evidence}</span>
                ))}
            </button>
        </li>
    );
}

function Side({ event }: { event: TraceEvent }) {
    const facts: [string, string | undefined][] = [
        ['Outcome', event.outcome], ['Agent', event.agent], ['Workflow', event.workflow], ['Tool', event.tool], ['Model', event.model],
        ['HTTP status', event.http_status?.toString()], ['Tokens', event.tokens?.toString()], ['Cost', event.cost_usd === undefined ? undefined : usd(event.cost_usd)],
        ['Convention', event.convention], ['Span', event.span_id], ['Error', event.error],
    ];
    const texts: [string, string | undefined][] = [
        ['The user said', event.user_text], ['Arguments', event.tool_args], ['Result', event.tool_result], ['Answer', event.output_text],
    ];
    return (
        <Panel title={event.name} className={css.side}>
            <dl>
                <dt>Started</dt><dd><At at={event.started_at} /></dd>
                {facts.filter(([, text]) => text).map(([name, text]) => [<dt key={`${name}t`}>{name}</dt>, <dd key={`${name}d`}>{text}</dd>])}
            </dl>
            {texts.filter(([, text]) => text).map(([name, text]) => (
                <div key={name}>
                    <h3>{name}</h3>
                    <pre tabIndex={0}>{text}</pre>
                </div>
            ))}
        </Panel>
    );
}

function Waterfall({ trace, step }: { trace: Trace; step: string }) {
    const rows = useMemo(() => buildTree(trace.events), [trace]);
    const axis = useMemo(() => timeAxis(rows, true), [rows]);
    const again = useMemo(() => repeats(rows), [rows]);
    const wanted = rows.find(({ event }) => event.span_id === step) ?? rows.find(({ event }) => event.findings.length > 0) ?? rows[0];
    const [index, setIndex] = useState(wanted?.index ?? 0);
    useEffect(() => {
        if (step) document.getElementById(`step-${step}`)?.scrollIntoView({ block: 'center' });
    }, [step]);
    const chosen = rows.find((row) => row.index === index);
    return (
        <>
            <Panel>
                <div className={css.facts}>
                    <Stat label="Agent" value={trace.agent ?? 'unnamed'} />
                    <Stat label="Workflow" value={trace.workflow ?? 'unnamed'} />
                    <Stat label="Took" value={took(trace.duration_ms)} />
                    <Stat label="Events" value={count(trace.events.length)} {...(trace.truncated ? { note: 'and more' } : {})} />
                    <Stat label="Tokens" value={count(trace.tokens ?? 0)} />
                </div>
            </Panel>
            <div className={css.body}>
                <Panel title="Waterfall" aside={axis.idleMs > 0 ? `${took(axis.idleMs)} idle, drawn narrower` : undefined} flush>
                    <ul className={css.rows} data-testid="waterfall">
                        {rows.map((row) => (
                            <Row key={row.index} row={row} at={axis.at} chosen={row.index === index} repeated={again.get(row.index) ?? 0} choose={() => setIndex(row.index)} />
                        ))}
                    </ul>
                </Panel>
                {chosen && <Side event={chosen.event} />}
            </div>
        </>
    );
}

export default function TracePage() {
    const [query, setQuery] = useSearchParams();
    const correlation = query.get('correlation') ?? '';
    const incident = query.get('incident');
    const [typed, setTyped] = useState(correlation);
    useEffect(() => setTyped(correlation), [correlation]);
    const { data, error, refetch } = useTrace(correlation);
    return (
        <Page title="Traces" lead={incident ? <Link to={`/incidents/${incident}`}>Back to {incident}</Link> : 'What an agent did, step by step, as it was received.'}>
            <form className={css.form} onSubmit={(event) => { event.preventDefault(); setQuery({ correlation: typed.trim() }); }}>
                <TextInput label="Conversation or trace id" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} maxLength={512} />
                <Button type="submit" variant="default">Show</Button>
            </form>
            {!correlation ? (
                <Empty icon={<IconBinaryTree size={30} stroke={1.5} aria-hidden />} title="No trace is chosen">
                    <p>Give an id, or follow a finding of an incident.</p>
                </Empty>
            ) : error && !data ? (
                <Failure error={error} what="this trace" retry={() => void refetch()} />
            ) : !data ? (
                <Waiting what="the trace" />
            ) : (
                <Waterfall key={correlation} trace={data} step={query.get('step') ?? ''} />
            )}
        </Page>
    );
}
