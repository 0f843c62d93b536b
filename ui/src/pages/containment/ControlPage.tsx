// One control: its proof point by point, and everything that may be done with it.
import { Link, useParams } from 'react-router';

import { useControl } from '../../api/containment';
import type { Control, ControlPoint, Probe } from '../../api/types';
import { controlVerb, lowerFirst, modeMeaning, who } from '../../format/controls';
import { utcTime } from '../../format/time';
import { Failure, Page, Panel, Waiting } from '../../parts/layout';
import { At } from '../../parts/When';
import css from './containment.module.css';
import { ControlCard } from './ControlCard';

export default function ControlPage() {
    const { id = '' } = useParams();
    const { data: control, error, refetch } = useControl(id);
    if (!control) {
        return (
            <Page title={id} bare>
                {error ? <Failure error={error} what={`control ${id}`} retry={() => void refetch()} /> : <Waiting what={id} />}
            </Page>
        );
    }
    return (
        <Page
            title={`${control.id}: ${lowerFirst(controlVerb(control.mode, control.scope, control.route_to))}`}
            lead={<><Link to="/containment">Containment</Link> / {modeMeaning[control.mode]}</>}
        >
            <Panel><ControlCard control={control} bare /></Panel>
            <Points control={control} />
            <Panel title="Record">
                <dl className={css.record}>
                    <Row label="Requested" at={control.requested_at} by={control.author} />
                    <Row label="Published" at={control.published_at} />
                    <Row label={control.acknowledged.away > 0 ? 'Acknowledged by all connected' : 'Acknowledged by all'} at={control.acknowledged_at} />
                    <Row label="Proved" at={control.proved_at} />
                    <Row label="Release asked for" at={control.release_requested_at} by={control.release_requested_by} />
                    <Row label={control.put_back ? 'Put back' : 'Stage began'} at={control.stage === 'shadow' && !control.put_back ? undefined : control.stage_since} by={control.put_back ? undefined : control.stage_by} />
                    <Row label="Released" at={control.released_at} by={control.released_by} />
                    {control.origin && <div><dt>Applied at a gateway host</dt><dd>as {control.origin}</dd></div>}
                    {control.rule && <div><dt>Playbook</dt><dd>{control.rule}</dd></div>}
                    {control.allowed && control.allowed.length > 0 && <div><dt>Tools that pass</dt><dd>{control.allowed.join(', ')}</dd></div>}
                    <div><dt>First snapshot</dt><dd>revision {control.revision}</dd></div>
                </dl>
            </Panel>
        </Page>
    );
}

function Row({ label, at, by }: { label: string; at: string | undefined; by?: string | undefined }) {
    if (!at) return null;
    return (
        <div>
            <dt>{label}</dt>
            <dd><At at={at} /> <span className="dim">{utcTime(new Date(at)).slice(11)}</span>{by && ` by ${who(by)}`}</dd>
        </div>
    );
}

function Points({ control }: { control: Control }) {
    return (
        <Panel title="Points and probes" aside={`${control.acknowledged.reached}/${control.acknowledged.of} acknowledged, ${control.proved.reached}/${control.proved.of} proved`}>
            {control.points.length === 0 ? (
                <p className={css.bad}>No enforcement point is connected, so nothing enforces it. Start the gateway.</p>
            ) : (
                <ul className={css.points}>
                    {control.points.map((point) => <li key={point.point}><Point point={point} control={control} /></li>)}
                </ul>
            )}
        </Panel>
    );
}

function Point({ point, control }: { point: ControlPoint; control: Control }) {
    return (
        <>
            <p className={css.pointHead}>
                <strong>{point.point}</strong>
                {!point.connected && <span className={css.bad}>not connected</span>}
                {point.acknowledged_at ? <span className={css.ok}>acknowledged <At at={point.acknowledged_at} /></span> : <span className={css.bad}>did not acknowledge</span>}
                {point.proved_at && <span className={css.ok}>proved <At at={point.proved_at} /></span>}
            </p>
            {point.error && <p className={css.bad}>{point.error}</p>}
            {point.probes.length === 0 ? (
                <p className="dim">{point.roads === 0 ? 'No probe yet.' : `Refused on ${point.roads === 1 ? 'its one road' : `all ${point.roads} roads`}.`}</p>
            ) : (
                <ul className={css.probes}>
                    {point.probes.map((probe) => <li key={probe.road}><ProbeLine probe={probe} control={control} /></li>)}
                </ul>
            )}
        </>
    );
}

/** Green only when it was this very control that refused. */
function ProbeLine({ probe, control }: { probe: Probe; control: Control }) {
    const passed = probe.reached && probe.verdict === 'allow' && control.mode !== 'observe';
    const label = !probe.reached ? 'not reached' : { none: 'no answer', allow: 'let through', deny: 'refused', escalate: 'held for a person', modify: 'rerouted' }[probe.verdict];
    const byIt = probe.decided_by === control.id;
    return (
        <>
            <code>{probe.road}</code>{' '}
            <strong className={passed || !probe.reached ? css.bad : css.ok}>{label}</strong>
            {probe.decided_by && <span className="dim"> by {byIt ? 'this control' : probe.decided_by}</span>}
            <span className="dim"> {probe.detail}</span>
        </>
    );
}
