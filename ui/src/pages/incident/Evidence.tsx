// The sealed evidence: one file with everything, which anybody can check without this server.
import { Button } from '@mantine/core';
import { IconFileZip } from '@tabler/icons-react';
import { useState } from 'react';

import { useEvidenceKey, useExportEvidence } from '../../api/verify';
import { count } from '../../format/number';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { Command, Panel } from '../../parts/layout';
import { useAccess } from '../../shell/access';
import css from './incident.module.css';

export function Evidence({ incident }: { incident: string }) {
    const { withToken } = useAccess();
    const key = useEvidenceKey().data;
    const pack = useExportEvidence(incident);
    const [asking, setAsking] = useState(false);
    return (
        <Panel title="Evidence" id="evidence">
            <div className={css.sections}>
                <p className="dim">
                    Timeline, spans, decisions, versions, ledger and review in one archive, hash-chained and signed. Any changed byte is found.
                </p>
                <div className={css.actions}>
                    <Button variant="default" leftSection={<IconFileZip size={16} aria-hidden />} onClick={() => withToken(() => setAsking(true))}>Export the evidence</Button>
                </div>
                {pack.data && (
                    <div role="status" data-testid="pack">
                        <p><strong>{pack.data.name}</strong>, {count(pack.data.bytes)} bytes{pack.data.sha256 && <>, SHA-256 <code title={pack.data.sha256}>{pack.data.sha256.slice(0, 16)}…</code></>}</p>
                        <Command text={`tagout evidence verify ${pack.data.name}`} />
                    </div>
                )}
                {key && <p className="dim">Signed by key <code>{key.fingerprint}</code> ({key.algorithm}).</p>}
            </div>
            {asking && (
                <ChangeDialog
                    title={`Export the evidence of ${incident}`}
                    lead="Who exported it, when and why goes into the journal. It may hold what users wrote: keep it as you keep that."
                    submit="Export"
                    run={(reason) => pack.mutateAsync(reason)}
                    onClose={() => setAsking(false)}
                />
            )}
        </Panel>
    );
}
