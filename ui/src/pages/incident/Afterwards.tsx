// What keeps it from happening again: the regression case, the review, the corrective actions.
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconClipboardText, IconDownload, IconTestPipe } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { downloadRegression, useActions, useCreateRegression, useRegressions } from '../../api/prevent';
import type { Incident } from '../../api/types';
import { who } from '../../format/controls';
import { plural } from '../../format/number';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { Command, Panel } from '../../parts/layout';
import { Ago } from '../../parts/When';
import { useAccess } from '../../shell/access';
import { ActionRows, AddAction } from '../reviews/CorrectiveActions';
import css from './incident.module.css';

export function Afterwards({ incident }: { incident: Incident }) {
    const actions = useActions('all', incident.id).data?.actions ?? [];
    return (
        <>
            <Regressions incident={incident.id} />
            <Panel title="Review and actions" flush>
                <div className={`${css.actions} ${css.more}`}>
                    <Button component={Link} to={`/reviews/${incident.id}`} variant="default" leftSection={<IconClipboardText size={16} aria-hidden />}>
                        {incident.anchors.review_published_at ? 'Read the review' : 'Write the review'}
                    </Button>
                    <AddAction incident={incident.id} />
                </div>
                {actions.length > 0 && <ActionRows actions={actions} />}
            </Panel>
        </>
    );
}

function Regressions({ incident }: { incident: string }) {
    const { withToken } = useAccess();
    const cases = useRegressions(incident).data?.regressions ?? [];
    const create = useCreateRegression(incident);
    const [asking, setAsking] = useState(false);
    const download = (id: string): void =>
        void downloadRegression(id).catch((error: Error) => notifications.show({ color: 'red', title: 'Not downloaded', message: error.message }));
    return (
        <Panel title="Regression case" id="regression">
            <div className={css.sections}>
                {cases.length === 0 && <p className="dim">None yet. It is made of what was recorded, redacted, and fails on every configuration that would do it again.</p>}
                {cases.map((each) => (
                    <div key={each.id} data-testid="regression">
                        <p>
                            <strong>{each.id}</strong>: {plural(each.sessions, 'session')}, {plural(each.harmful_calls, 'harmful call')} must not happen again
                        </p>
                        <p className={css.findingFacts}>
                            <span>{who(each.created_by)}, <Ago at={each.created_at} /></span>
                            {[each.versions.prompt, each.versions.policy, each.versions.model_route].filter(Boolean).map((version) => <span key={version}>{version}</span>)}
                        </p>
                        <div className={css.actions}>
                            <Button variant="default" size="compact-md" leftSection={<IconDownload size={15} aria-hidden />} aria-label={`Download ${each.id}`} onClick={() => download(each.id)}>Download</Button>
                        </div>
                        <Command text={`tagout regressions run ${each.id}.json --config tagout.yaml`} />
                    </div>
                ))}
                <div className={css.actions}>
                    <Button variant="default" leftSection={<IconTestPipe size={16} aria-hidden />} onClick={() => withToken(() => setAsking(true))}>
                        {cases.length === 0 ? 'Make a regression case' : 'Make another'}
                    </Button>
                </div>
            </div>
            {asking && (
                <ChangeDialog
                    title={`Make a regression case of ${incident}`}
                    lead="The calls that the findings point at must not happen again. The case runs offline, in CI."
                    submit="Make it"
                    run={(reason) => create.mutateAsync(reason)}
                    done={() => notifications.show({ message: 'The case is made. Download it into your repository.' })}
                    onClose={() => setAsking(false)}
                />
            )}
        </Panel>
    );
}
