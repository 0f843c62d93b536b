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

function Points({ points, newest }: { points: EnforcementPoint[]; newest: number }) {
    return (
        <Panel title="Enforcement points" aside={`newest revision ${newest}`} flush={points.length > 0}>
            {points.length === 0 ? (
                <p className={css.bad}>No enforcement point is connected: a stop would be recorded and would stop nothing. Start the gateway.</p>
            ) : (
                <Table
                    label="Enforcement points"
                    head={['Point', 'Enforces', 'Acknowledged', 'Trouble']}
                    rows={points.map((point) => ({
                        key: point.name,
                        cells: [
                            <strong key="n">{point.name}</strong>,
                            <span key="r" className={point.revision < newest ? css.bad : css.ok}>
                                revision {point.revision}{point.revision < newest ? `, ${newest - point.revision} behind` : ', the newest'}
                            </span>,
                            point.acknowledged_at ? <At key="a" at={point.acknowledged_at} /> : 'never',
                            point.error ? <span key="e" className={css.bad}>{point.error}</span> : 'none',
                        ],
                    }))}
                />
            )}
        </Panel>
    );
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
