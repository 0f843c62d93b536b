// The first screen: what is happening to whom, since when, how bad, is it still going on, what to do.
import { IconCircleCheck, IconPlugConnected } from '@tabler/icons-react';
import { Link } from 'react-router';

import { useNow } from '../../api/queries';
import type { Now } from '../../api/types';
import { plural } from '../../format/number';
import { classQuestion, classTitle } from '../../format/words';
import { ClassIcon } from '../../parts/chips';
import { Command, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Ago } from '../../parts/When';
import { IncidentCard } from './IncidentCard';
import { Intake } from './Intake';
import css from './now.module.css';
import { Sessions } from './Sessions';
import { Worst } from './Worst';

export function NowPage() {
    const { data: now, error, refetch } = useNow();
    if (!now) {
        return (
            <Page title="Now" bare>
                {error ? <Failure error={error} what="the present state" retry={() => void refetch()} /> : <Waiting what="the present state" />}
            </Page>
        );
    }
    const [worst, ...others] = now.incidents;
    return (
        <Page title="Now" bare>
            {worst ? <Worst incident={worst} /> : <Calm now={now} />}
            {now.intake.items_total > 0 && <Classes now={now} />}
            <div className={css.columns}>
                <Panel title="Other open incidents" aside={others.length > 0 ? `${others.length}, worst first` : undefined} flush={others.length > 0}>
                    {others.length > 0 ? (
                        <div className={css.cards}>
                            {others.map((incident) => <IncidentCard key={incident.id} incident={incident} />)}
                        </div>
                    ) : (
                        <p className="dim">
                            {worst ? 'None: this is the only one.' : 'None.'} Earlier ones stand in <Link to="/incidents?state=all">all incidents</Link>.
                        </p>
                    )}
                </Panel>
                <div className={css.side}>
                    <Sessions sessions={now.sessions} />
                    <Intake intake={now.intake} />
                </div>
            </div>
        </Page>
    );
}

function Calm({ now }: { now: Now }) {
    if (now.intake.items_total === 0) return <FirstSteps sentence={now.sentence} />;
    return (
        <section className={css.calm} data-testid="situation">
            <IconCircleCheck className={css.calmIcon} size={34} stroke={1.5} aria-hidden />
            <div>
                <h1>{now.sentence}</h1>
                <p>
                    {plural(now.sessions.live, 'session')} under watch, last telemetry <Ago at={now.intake.last_received_at} />. An incident
                    opens when sessions fail and a signal explains why; single errors that were mended are not one.
                </p>
            </div>
        </section>
    );
}

function FirstSteps({ sentence }: { sentence: string }) {
    return (
        <section className={css.calm} data-testid="situation">
            <IconPlugConnected className={css.quietIcon} size={34} stroke={1.5} aria-hidden />
            <div style={{ minWidth: 0 }}>
                <h1>{sentence}</h1>
                <p>Point an agent's OpenTelemetry exporter here. No code changes: three lines in its environment.</p>
                <div className={css.steps}>
                    <Command text={`export OTEL_EXPORTER_OTLP_ENDPOINT=http://${window.location.hostname}:4318\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_SERVICE_NAME=my-agent`} />
                    <p>No agent at hand? The simulated fleet talks to Tagout over the same protocols:</p>
                    <Command text="tagout sim --fault tool_4xx_storm" />
                </div>
            </div>
        </section>
    );
}

function Classes({ now }: { now: Now }) {
    return (
        <nav className={css.classes} aria-label="Failure classes">
            {now.classes.map((row) => (
                <Link key={row.class} to={`/classes/${row.class}`} className={css.tile}>
                    <span className={css.tileName}>
                        <ClassIcon name={row.class} size={15} /> {classTitle[row.class]}
                    </span>
                    <span className={css.tileState} title={classQuestion[row.class]}>
                        <span className={row.open > 0 ? css.tileOpen : css.tileGood}>{row.open > 0 ? `${row.open} open` : 'Quiet'}</span>
                        {row.findings_last_hour > 0 && ` · ${plural(row.findings_last_hour, 'finding')} in 1 h`}
                    </span>
                </Link>
            ))}
        </nav>
    );
}
