// One dashboard per failure class: outcomes, its signals against their thresholds, incidents, contributors.
import { NavLink, useParams } from 'react-router';
import { useMemo } from 'react';

import { useBoard } from '../../api/queries';
import { failureClasses, outcomes, type ClassBoard, type FailureClass, type SignalBoard } from '../../api/types';
import { observed, plural } from '../../format/number';
import { classTitle, outcomeTitle, signalTitle } from '../../format/words';
import { Chart, type Line } from '../../parts/Chart';
import { ClassIcon } from '../../parts/chips';
import { Empty, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Table } from '../../parts/Table';
import { IncidentRows } from '../incidents/IncidentRows';
import css from './classes.module.css';

const seconds = (at: string): number => Date.parse(at) / 1000;
const outcomeColour = { succeeded: 'var(--good)', failed: 'var(--sev1)', abandoned: 'var(--sev2)', denied: 'var(--sev3)', unknown: 'var(--dim)' } as const;

function Signal({ board }: { board: SignalBoard }) {
    const times = useMemo(() => board.points.map((point) => seconds(point.at)), [board]);
    const lines = useMemo<Line[]>(
        () => [
            { label: 'observed', colour: 'var(--accent)', values: board.points.map((point) => point.observed), fill: true },
            { label: 'threshold', colour: 'var(--sev1)', values: board.points.map(() => board.threshold), dashed: true },
        ],
        [board],
    );
    const findings = board.points.reduce((sum, point) => sum + point.findings, 0);
    return (
        <Panel title={signalTitle(board.signal)} aside={`threshold ${observed(board.threshold, board.unit)}`}>
            <p className={css.meaning}>{board.meaning}</p>
            {times.length > 0 ? (
                <Chart times={times} lines={lines} label={`${board.signal}: observed against the threshold ${board.threshold}`} />
            ) : (
                <p className={css.meaning}>No data yet.</p>
            )}
            <span className={css.legend}>{plural(findings, 'finding')} in the last two hours</span>
        </Panel>
    );
}

function Outcomes({ board }: { board: ClassBoard }) {
    const times = useMemo(() => board.outcomes.map((point) => seconds(point.at)), [board]);
    const lines = useMemo<Line[]>(
        () => outcomes.map((name) => ({ label: outcomeTitle[name], colour: outcomeColour[name], values: board.outcomes.map((point) => point[name]) })),
        [board],
    );
    return (
        <Panel title="Sessions by outcome" aside="per minute">
            {times.length > 0 ? <Chart times={times} lines={lines} label="Sessions by outcome, per minute" /> : <p className={css.meaning}>No session has ended yet.</p>}
            <span className={css.legend}>
                {outcomes.map((name) => (
                    <span key={name}>
                        <span aria-hidden style={{ color: outcomeColour[name] }}>■ </span>
                        {outcomeTitle[name]} {board.outcomes.reduce((sum, point) => sum + point[name], 0)}
                    </span>
                ))}
            </span>
        </Panel>
    );
}

function Board({ name }: { name: FailureClass }) {
    const { data, error, refetch } = useBoard(name);
    if (error && !data) return <Failure error={error} what="this dashboard" retry={() => void refetch()} />;
    if (!data) return <Waiting what="the dashboard" />;
    return (
        <>
            <div className={css.grid}>
                <Outcomes board={data} />
                {data.signals.map((signal) => <Signal key={signal.signal} board={signal} />)}
            </div>
            <Panel title="Incidents of this class" flush>
                {data.incidents.length > 0 ? <IncidentRows incidents={data.incidents} /> : <Empty title="None, open or in the last 90 days" />}
            </Panel>
            {data.contributors.length > 0 && (
                <Panel title="Who contributes most" flush>
                    <Table
                        label="Contributors"
                        head={['Agent', 'Tool', 'Findings']}
                        rows={data.contributors.map((row, i) => ({ key: String(i), cells: [row.agent, row.tool ?? '', row.findings] }))}
                    />
                </Panel>
            )}
        </>
    );
}

export default function ClassesPage() {
    const name = useParams()['name'] as FailureClass | undefined;
    const known = name !== undefined && failureClasses.includes(name);
    return (
        <Page title={known ? classTitle[name] : 'Classes'}>
            <nav className={css.tabs} aria-label="Failure classes">
                {failureClasses.map((each) => (
                    <NavLink key={each} to={`/classes/${each}`} className={css.tab ?? ''}>
                        <ClassIcon name={each} />
                        {classTitle[each]}
                    </NavLink>
                ))}
            </nav>
            {known ? <Board key={name} name={name} /> : <Empty title="There is no such class" />}
        </Page>
    );
}
