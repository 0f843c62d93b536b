// The durations that are reported, and the times that they are reckoned from; people may correct those.
import { Button } from '@mantine/core';
import { useState } from 'react';

import type { Incident } from '../../api/types';
import { hasEnded } from '../../format/words';
import { Panel } from '../../parts/layout';
import { At, Since } from '../../parts/When';
import { useAccess } from '../../shell/access';
import { ActionDialog } from './ActionDialog';
import css from './incident.module.css';
import { anchorLabels, intervalsOf } from './steps';

export function Times({ incident }: { incident: Incident }) {
    const { withToken } = useAccess();
    const [correcting, setCorrecting] = useState(false);
    const ended = hasEnded(incident.state);
    const intervals = intervalsOf(incident.anchors).filter(({ to }) => to !== undefined || !ended);
    return (
        <Panel
            title="Times"
            aside={<Button variant="subtle" size="compact-xs" onClick={() => withToken(() => setCorrecting(true))}>Correct the onset</Button>}
        >
            {intervals.length > 0 && (
                <dl className={css.intervals}>
                    {intervals.map(({ label, meaning, from, to }) => (
                        <div key={label} title={meaning}>
                            <dt>{label}</dt>
                            <dd className={to ? '' : css.running}><Since at={from} until={to} />{to ? '' : ' so far'}</dd>
                        </div>
                    ))}
                </dl>
            )}
            <dl className={css.table}>
                {anchorLabels.filter(({ key }) => incident.anchors[key]).map(({ key, label }) => (
                    <div key={key} style={{ display: 'contents' }}>
                        <dt>{label}</dt>
                        <dd><At at={incident.anchors[key]} /></dd>
                    </div>
                ))}
            </dl>
            {correcting && <ActionDialog incident={incident} asked={{ do: 'anchor', anchor: 'onset' }} onClose={() => setCorrecting(false)} />}
        </Panel>
    );
}
