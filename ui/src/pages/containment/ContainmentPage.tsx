// What is stopped or restricted now, whether it is proved, who waits for a person, and what was before.
import { Button } from '@mantine/core';
import { IconHandStop, IconLockOpen } from '@tabler/icons-react';
import { Link } from 'react-router';

import { useControls } from '../../api/containment';
import type { Control, EnforcementPoint } from '../../api/types';
import { modeTitle, scopeText, who } from '../../format/controls';
import { plural } from '../../format/number';
import { stepTime } from '../../format/time';
import { Empty, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Table } from '../../parts/Table';
import { At } from '../../parts/When';
import { useStop } from '../../shell/stop';
import { Approvals } from './Approvals';
import css from './containment.module.css';
import { ControlCard } from './ControlCard';

export default function ContainmentPage() {
    const { data, error, refetch } = useControls('all');
    const stop = useStop();
    const inForce = data?.controls.filter(({ state }) => state !== 'released') ?? [];
    const released = data?.controls.filter(({ state }) => state === 'released') ?? [];
    return (
        <Page
            title="Containment"
            lead={data && `${plural(inForce.length, 'control')} in force, ${plural(data.points.length, 'enforcement point')}`}
            actions={
                <Button color="stop" leftSection={<IconHandStop size={16} aria-hidden />} onClick={() => stop({ scope: '' })}>
                    Stop or restrict
                </Button>
            }
        >
            <Approvals />
            {error && !data ? (
                <Panel><Failure error={error} what="the controls" retry={() => void refetch()} /></Panel>
            ) : !data ? (
                <Panel><Waiting what="the controls" /></Panel>
            ) : (
                <>
                    {inForce.length === 0 ? (
                        <Panel>
                            <Empty icon={<IconLockOpen size={30} stroke={1.5} aria-hidden />} title="Nothing is stopped">
                                <p>Every call passes by its policy. A stop is two taps from every page: <strong>Stop…</strong> above, or the button on an incident.</p>
                            </Empty>
                        </Panel>
                    ) : (
                        <ul className={css.cards} aria-label="Controls in force" data-testid="controls">
                            {inForce.map((control) => <li key={control.id}><ControlCard control={control} /></li>)}
                        </ul>
                    )}
                    <Points points={data.points} newest={data.revision} />
                    <History controls={released} />
                </>
            )}
        </Page>
    );
}

/** Red when it is away, behind, or says that it does not do as it was told. */
const isFailing = (point: EnforcementPoint, newest: number): boolean => !point.connected || point.revision < newest || Boolean(point.error);

function Points({ points, newest }: { points: EnforcementPoint[]; newest: number }) {
    const failing = points.filter((point) => isFailing(point, newest));
    const rows = [...failing, ...points.filter((point) => !failing.includes(point))];
    const bare = points.filter(({ rules, controls, connected }) => connected && rules === 0 && controls === 0);
    return (
        <Panel
            title="Enforcement points"
            aside={`${failing.length === 0 ? 'all' : `${points.length - failing.length} of ${points.length}`} enforce revision ${newest}`}
            flush={points.length > 0}
        >
            {bare.length > 0 && (
                <p className={`${css.bad} ${css.loud}`} role="status">
                    No policy and no control is loaded at {bare.length === 1 ? bare[0]?.name : plural(bare.length, 'point')}: every call passes there.
                </p>
            )}
            {points.length === 0 ? (
                <p className={css.bad}>No enforcement point is connected: a stop would be recorded and would stop nothing. Start the gateway.</p>
            ) : (
                <Table
                    label="Enforcement points"
                    head={['Point', 'Enforces', 'Heard of', 'Time to effect', 'Calls denied', 'Trouble']}
                    rows={rows.map((point) => ({
                        key: point.name,
                        cells: [
                            <span key="n"><strong>{point.name}</strong>{point.address && <span className="dim"> {point.address}</span>}</span>,
                            <span key="r" className={isFailing(point, newest) ? css.bad : css.ok}>
                                {point.revision === 0 && !point.acknowledged_at
                                    ? 'nothing yet'
                                    : `revision ${point.revision}${point.revision < newest ? `, ${newest - point.revision} behind` : ', the newest'}`}
                            </span>,
                            !point.remote ? 'this process' : point.last_contact ? <At key="c" at={point.last_contact} /> : <span key="c" className={css.bad}>never since the start</span>,
                            <EffectTimes key="t" times={point.time_to_effect_ms} />,
                            `${point.calls_denied} of ${point.calls}`,
                            <Trouble key="e" point={point} />,
                        ],
                    }))}
                />
            )}
        </Panel>
    );
}

function EffectTimes({ times }: { times: EnforcementPoint['time_to_effect_ms'] }) {
    if (times.count === 0) return <span className="dim">no stop yet</span>;
    return (
        <span title={`${plural(times.count, 'stop')}, the slowest ${stepTime(times.max)}`} className="num">
            p50 {stepTime(times.p50)}, p99 {stepTime(times.p99)}
        </span>
    );
}

function Trouble({ point }: { point: EnforcementPoint }) {
    const troubles = [
        point.error,
        point.lease_over && 'its lease is over: the classes of tools that the settings close are stopped there',
        point.local_controls > 0 && `${plural(point.local_controls, 'control')} applied at its host`,
        point.records_dropped > 0 && `records of ${plural(point.records_dropped, 'call')} lost`,
        point.records_waiting > 0 && `${plural(point.records_waiting, 'batch', 'batches')} of records on their way`,
    ].filter(Boolean);
    return troubles.length === 0 ? <>none</> : <span className={point.error || point.lease_over || point.records_dropped > 0 ? css.bad : undefined}>{troubles.join('; ')}</span>;
}

function History({ controls }: { controls: Control[] }) {
    if (controls.length === 0) return null;
    return (
        <Panel title="Released" aside={plural(controls.length, 'control')} flush>
            <Table
                label="Released controls"
                head={['Control', 'What', 'By', 'Since', 'Released', 'By whom', 'Took effect in']}
                rows={controls.map((control) => ({
                    key: control.id,
                    cells: [
                        <Link key="i" to={`/containment/${control.id}`}>{control.id}</Link>,
                        `${modeTitle[control.mode]}: ${scopeText(control.scope)}`,
                        who(control.author),
                        <At key="s" at={control.since} />,
                        <At key="r" at={control.released_at} />,
                        who(control.released_by),
                        control.time_to_effect_ms === undefined ? 'not known' : stepTime(control.time_to_effect_ms),
                    ],
                }))}
            />
        </Panel>
    );
}
