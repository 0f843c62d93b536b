// How much telemetry comes in, and whether any was refused.
import { useLive } from '../../api/live';
import type { Now } from '../../api/types';
import { count, rate } from '../../format/number';
import { Panel } from '../../parts/layout';
import { Ago } from '../../parts/When';
import css from './now.module.css';

export function Intake({ intake }: { intake: Now['intake'] }) {
    const { rates } = useLive();
    return (
        <Panel title="Intake" aside={<>last received {intake.last_received_at ? <Ago at={intake.last_received_at} /> : 'never'}</>}>
            <div className={css.rate}>
                <span className={css.rateValue}>{rate(intake.items_per_second)}</span>
                <Spark values={rates} />
            </div>
            <p className={css.row}><span>Received in all</span><span>{count(intake.items_total)}</span></p>
            <p className={css.row} title="Telemetry that was no valid OTLP">
                <span>Refused as malformed</span>
                <span className={intake.rejected_total > 0 ? css.warned : ''}>{count(intake.rejected_total)}</span>
            </p>
            <p className={css.row} title="Turned away because Tagout was overloaded; senders were asked to come again">
                <span>Turned away under load</span>
                <span className={intake.shed_total > 0 ? css.warned : ''}>{count(intake.shed_total)}</span>
            </p>
        </Panel>
    );
}

const width = 220;
const height = 40;

function Spark({ values }: { values: readonly number[] }) {
    if (values.length < 2) return null;
    const most = Math.max(1, ...values);
    const points = values.map((value, i) => {
        const x = (i / (values.length - 1)) * width;
        return `${x.toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
    });
    return (
        <svg className={css.spark} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
            aria-label={`Items a second in the last ${values.length} seconds, at most ${rate(most)}`}>
            <polygon points={`0,${height} ${points.join(' ')} ${width},${height}`} fill="var(--chart-line)" opacity="0.1" />
            <polyline points={points.join(' ')} fill="none" stroke="var(--chart-line)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
        </svg>
    );
}
