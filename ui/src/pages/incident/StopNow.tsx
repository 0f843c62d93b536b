// The first of two taps: the recommended stop of an incident, or whether the one in force bit.
import { Button } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { Link } from 'react-router';

import { useIncidentContainment } from '../../api/containment';
import type { IncidentSummary } from '../../api/types';
import { controlVerb, enforces, modeTitle, scopeText } from '../../format/controls';
import { recommend } from '../../format/recommend';
import { stepTime } from '../../format/time';
import { hasEnded } from '../../format/words';
import { ProofChip } from '../../parts/Proof';
import { useStop } from '../../shell/stop';
import css from './stopnow.module.css';

/** What is in force for this incident, and what would be stopped next. */
export function useIncidentStop(incident: IncidentSummary) {
    const { data, isPending } = useIncidentContainment(incident.id, !hasEnded(incident.state));
    const inForce = data?.controls.filter(enforces) ?? [];
    return { inForce, recommended: isPending || inForce.length > 0 ? null : recommend(incident, data?.proposals ?? []) };
}

export function StopNow({ incident }: { incident: IncidentSummary }) {
    const stop = useStop();
    const { inForce, recommended } = useIncidentStop(incident);
    if (inForce.length > 0) {
        return (
            <ul className={css.inForce} aria-label="In force" data-testid="in-force">
                {inForce.map((control) => (
                    <li key={control.id}>
                        <Link to={`/containment/${control.id}`}>
                            <strong>{modeTitle[control.mode]}: {scopeText(control.scope)}</strong>
                            <ProofChip control={control} />
                            {control.time_to_effect_ms !== undefined && <span className="dim num">in force after {stepTime(control.time_to_effect_ms)}</span>}
                        </Link>
                    </li>
                ))}
            </ul>
        );
    }
    if (!recommended) return null;
    const { scope, mode, routeTo } = recommended;
    return (
        <Button
            size="md"
            color="stop"
            className={css.button ?? ''}
            id="stop-now"
            data-testid="stop-now"
            leftSection={<IconHandStop size={19} aria-hidden />}
            onClick={() => stop({ scope, mode, reason: incident.title, incident: incident.id, ...(routeTo ? { routeTo } : {}) })}
        >
            {controlVerb(mode, scope, routeTo)}
        </Button>
    );
}
