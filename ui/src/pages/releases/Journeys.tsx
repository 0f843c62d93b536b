// What users must be able to do: each journey with its last run, and the button that runs it.
import { Button } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';

import { useJourneys, useRunJourneys } from '../../api/releases';
import type { Journey } from '../../api/types';
import { plural } from '../../format/number';
import { stepTime } from '../../format/time';
import { Failure, InlineError, Panel, partsCss, Waiting } from '../../parts/layout';
import { Ago } from '../../parts/When';
import { useAccess } from '../../shell/access';
import css from './releases.module.css';

export function Journeys() {
    const { data, error, refetch } = useJourneys();
    const { withToken } = useAccess();
    const run = useRunJourneys();
    const all = data?.journeys ?? [];
    return (
        <Panel
            title="Journeys"
            aside={all.length > 0 && (
                <Button variant="default" leftSection={<IconPlayerPlay size={16} aria-hidden />} loading={run.isPending && !run.variables.names} onClick={() => withToken(() => run.mutate({}))}>Run all</Button>
            )}
            flush={all.length > 0}
        >
            {error && !data ? <Failure error={error} what="the journeys" retry={() => void refetch()} /> : !data ? <Waiting what="the journeys" /> : all.length === 0 ? (
                <p className="dim">None is configured. Name under <code>journeys</code> in tagout.yaml what users must be able to do: a tool is released only when the journeys that name it passed.</p>
            ) : (
                <ul className={css.journeys} data-testid="journeys">
                    {all.map((journey) => (
                        <li key={journey.name}>
                            <JourneyLine journey={journey} busy={run.isPending && run.variables.names?.[0] === journey.name} run={() => withToken(() => run.mutate({ names: [journey.name] }))} />
                        </li>
                    ))}
                </ul>
            )}
            {run.error && <InlineError>{run.error.message}</InlineError>}
        </Panel>
    );
}

function JourneyLine({ journey, busy, run }: { journey: Journey; busy: boolean; run: () => void }) {
    const last = journey.runs[0];
    return (
        <>
            <div>
                <p className={css.bundleHead}>
                    <strong>{journey.name}</strong>
                    {!last ? <span className={partsCss.chip}>Never run</span> : <span className={`${partsCss.chip} ${last.passed ? partsCss.good : partsCss.hot}`}>{last.passed ? 'Passed' : `Failed at step ${last.failed_step ?? 1}`}</span>}
                    {last && !last.current && <span className={partsCss.chip}>Changed since</span>}
                </p>
                {last && !last.passed && <p>{last.sentence}</p>}
                {last?.expected && <p className={css.meta}><span>expected <code>{last.expected}</code></span>{last.seen !== undefined && <span>saw <code>{last.seen}</code></span>}</p>}
                <p className={css.meta}>
                    <span>{plural(journey.steps.length, 'step')}</span>
                    {journey.tools.length > 0 && <span>names {journey.tools.join(', ')}</span>}
                    {last && <span><Ago at={last.at} />, took {stepTime(last.duration_ms)}</span>}
                </p>
            </div>
            <Button variant="default" size="compact-md" loading={busy} onClick={run} aria-label={`Run ${journey.name}`}>Run</Button>
        </>
    );
}
