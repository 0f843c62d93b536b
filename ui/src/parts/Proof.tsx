// Whether a control bit: requested, published, acknowledged n/N, proved; each with its time.
import { IconAlertTriangle, IconCircleCheck, IconEye, IconHistory, IconLoader2 } from '@tabler/icons-react';

import type { Control } from '../api/types';
import { type Tone, proofOf } from '../format/controls';
import { stepTime, utcTime } from '../format/time';
import css from './proof.module.css';

const icons: Record<Tone, typeof IconEye> = { good: IconCircleCheck, moving: IconLoader2, bad: IconAlertTriangle, quiet: IconHistory };

/** One chip: "Proved, 1/1". */
export function ProofChip({ control }: { control: Control }) {
    const { tone, label, sentence } = proofOf(control);
    const Icon = icons[tone];
    return (
        <span className={`${css.chip} ${css[tone]}`} title={sentence}>
            <Icon size={14} stroke={2} aria-hidden />
            {label}
        </span>
    );
}

interface Stage {
    label: string;
    at: string | undefined;
    bad?: boolean;
}

/** The whole story, live; screen readers hear its sentence when it changes. */
export function Proof({ control }: { control: Control }) {
    const { tone, label, sentence } = proofOf(control);
    const Icon = icons[tone];
    const { reached, of } = control.acknowledged;
    const asked = Date.parse(control.requested_at);
    const stages: Stage[] = [
        { label: 'Requested', at: control.requested_at },
        { label: 'Published', at: control.published_at },
        { label: `Acknowledged ${reached}/${of}`, at: control.acknowledged_at, bad: control.points.some(({ acknowledged_at, error }) => !acknowledged_at && error) || of === 0 },
        control.state === 'unproved'
            ? { label: 'Not proved', at: undefined, bad: true }
            : { label: 'Proved', at: control.proved_at },
    ];
    return (
        <div className={`${css.proof} ${css[tone]}`} data-testid="proof" data-state={control.state}>
            <div className={css.head}>
                <Icon size={22} stroke={1.75} aria-hidden className={tone === 'moving' ? css.turning : undefined} />
                <div role="status" className={css.said}>
                    <strong>{label}</strong>
                    <span>{sentence}</span>
                </div>
                {control.time_to_effect_ms !== undefined && (
                    <div className={css.took}>
                        <b>{stepTime(control.time_to_effect_ms)}</b>
                        <span>to take effect</span>
                    </div>
                )}
            </div>
            <ol className={css.stages}>
                {stages.map(({ label: name, at, bad }, i) => (
                    <li key={name} className={at ? css.reached : bad ? css.failed : ''}>
                        <span>{name}<span className="visually-hidden">{at ? ', done' : bad ? ', failed' : ', ahead'}</span></span>
                        {at && (
                            <time dateTime={at} title={utcTime(new Date(at))} className="num">
                                {i === 0 ? new Date(at).toLocaleTimeString('en-GB') : `+${stepTime(Math.max(0, Date.parse(at) - asked))}`}
                            </time>
                        )}
                    </li>
                ))}
            </ol>
        </div>
    );
}
