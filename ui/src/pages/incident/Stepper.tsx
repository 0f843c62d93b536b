// Where the incident stands on its way, with the time of each step that was reached.
import { Link } from 'react-router';

import type { Incident } from '../../api/types';
import { stateTitle } from '../../format/words';
import { At } from '../../parts/When';
import css from './incident.module.css';
import { stepsOf } from './steps';

const spoken = { done: 'done', current: 'now', skipped: 'passed over', ahead: 'ahead' } as const;

export function Stepper({ incident }: { incident: Incident }) {
    const steps = stepsOf(incident.state, incident.anchors);
    const current = steps.findIndex(({ standing }) => standing === 'current');
    return (
        <>
            <ol className={css.steps} aria-label="State" data-testid="stepper">
                {steps.map(({ state, label, at, standing }) => (
                    <li key={state} className={`${css.step} ${css[standing] ?? ''}`} aria-current={standing === 'current' ? 'step' : undefined}>
                        <span>{label}<span className="visually-hidden">, {spoken[standing]}</span></span>
                        <At at={at} />
                    </li>
                ))}
            </ol>
            {current >= 0 ? (
                <p className={css.stepNow} aria-hidden>
                    <strong>{steps[current]?.label}</strong>, step {current + 1} of {steps.length} <At at={steps[current]?.at} />
                </p>
            ) : (
                <p className={css.left}>
                    {incident.state === 'merged' && incident.merged_into ? (
                        <>Merged into <Link to={`/incidents/${incident.merged_into}`}>{incident.merged_into}</Link>. Work goes on there.</>
                    ) : (
                        <>{stateTitle[incident.state]}: it has left the way.</>
                    )}
                </p>
            )}
        </>
    );
}
