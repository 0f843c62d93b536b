// How far a control is lifted: journeys alone, one tenant, a share of the sessions, all.
import type { Control } from '../../api/types';
import { stageText, who } from '../../format/controls';
import { Ago } from '../../parts/When';
import css from './containment.module.css';

const order = ['shadow', 'tenant', 'share', 'all'] as const;

export function Stages({ control }: { control: Control }) {
    const at = order.indexOf(control.stage as (typeof order)[number]);
    const names = ['Journeys', control.stage_tenant ? `Tenant ${control.stage_tenant}` : 'One tenant', control.stage_share ? `${control.stage_share} % of sessions` : 'A share of sessions', 'All'];
    return (
        <div className={css.validating}>
            <ol className={css.stages} aria-label="Stages of its release">
                {names.map((name, index) => {
                    const passed = index <= at && !(order[index] === 'tenant' && at > index && !control.stage_tenant);
                    return <li key={order[index]} className={passed ? css.stageOpen : undefined} aria-current={index === at ? 'step' : undefined}>{name}</li>;
                })}
            </ol>
            {control.put_back && <p className={css.bad}>Put back {control.stage_since && <Ago at={control.stage_since} />}: {control.put_back}</p>}
            <p>
                <strong>{who(control.release_requested_by)}</strong> asked for its release{control.release_reason && `: ${control.release_reason}`}.
                {' '}{stageText(control)} {control.stage_by && <>Opened by <strong>{who(control.stage_by)}</strong>.</>}
            </p>
        </div>
    );
}
