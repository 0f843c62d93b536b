// One incident: what it is, where it stands, what the evidence says, what was done, what to do.
import { useRef } from 'react';
import { useParams } from 'react-router';

import { useIncident } from '../../api/queries';
import { Failure, Page, Panel, Waiting } from '../../parts/layout';
import { usePageKeys } from '../../shell/useKeys';
import { type ActionsHandle, Actions } from './Actions';
import { Afterwards } from './Afterwards';
import { Containment } from './Containment';
import { Evidence } from './Evidence';
import { Facts } from './Facts';
import { Findings } from './Findings';
import { Head } from './Head';
import { ImpactStats } from './ImpactStats';
import css from './incident.module.css';
import { Ledger } from './Ledger';
import { StopNow } from './StopNow';
import { Stepper } from './Stepper';
import { Timeline } from './Timeline';
import { Times } from './Times';

export default function IncidentPage() {
    const { id = '' } = useParams();
    const { data: incident, error, refetch } = useIncident(id);
    const actions = useRef<ActionsHandle>(null);
    usePageKeys({
        a: () => actions.current?.ack(),
        n: () => document.getElementById('note')?.focus(),
        x: () => document.getElementById('stop-now')?.click(),
    });
    if (!incident) {
        return (
            <Page title={id} bare>
                {error ? <Failure error={error} what={`incident ${id}`} retry={() => void refetch()} /> : <Waiting what={id} />}
            </Page>
        );
    }
    return (
        <Page title={`${incident.id} ${incident.title}`} bare>
            <Head incident={incident}>
                <Stepper incident={incident} />
                <StopNow incident={incident} />
                <Actions ref={actions} incident={incident} />
            </Head>
            <div className={css.columns}>
                <div className={css.column}>
                    <Containment incident={incident} />
                    <Findings incident={incident} />
                    <Ledger incident={incident.id} />
                    <Timeline incident={incident} />
                </div>
                <div className={css.column}>
                    <Panel title="Impact">
                        <div className={css.impact}><ImpactStats impact={incident.impact} /></div>
                    </Panel>
                    <Facts incident={incident} />
                    <Evidence incident={incident.id} />
                    <Afterwards incident={incident} />
                    <Times incident={incident} />
                </div>
            </div>
        </Page>
    );
}
