// Impact as figures: who was hit, what was written, what it burnt.
import type { IncidentSummary } from '../../api/types';
import { count, usd } from '../../format/number';
import { Stat } from '../../parts/layout';

export function ImpactStats({ impact }: { impact: IncidentSummary['impact'] }) {
    return (
        <>
            <Stat label="Failed sessions" value={count(impact.failed_sessions)} note={`of ${count(impact.sessions)}`} />
            <Stat label="Users" value={count(impact.users)} />
            <Stat label="Writes" value={count(impact.writes)} />
            <Stat label="Tokens" value={count(impact.tokens)} />
            <Stat label="Cost" value={usd(impact.cost_usd)} />
        </>
    );
}
