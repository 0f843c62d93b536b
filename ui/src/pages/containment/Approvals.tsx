// Calls that wait for a person, each with what it would do.
import { Button } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useApprovalAnswer, useApprovals } from '../../api/containment';
import type { Approval } from '../../api/types';
import { plural } from '../../format/number';
import { stopwatch } from '../../format/time';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { Panel } from '../../parts/layout';
import { useNowMs } from '../../parts/ticking';
import { useAccess } from '../../shell/access';
import css from './containment.module.css';

const readable = (text: string): string => {
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
};

export function Approvals() {
    const approvals = useApprovals().data?.approvals ?? [];
    if (approvals.length === 0) return null;
    return (
        <Panel title="Waiting for a person" aside={plural(approvals.length, 'call')} className={css.waiting}>
            <ul className={css.approvals} data-testid="approvals">
                {approvals.map((approval) => <li key={approval.id}><Waiting approval={approval} /></li>)}
            </ul>
        </Panel>
    );
}

function Waiting({ approval }: { approval: Approval }) {
    const { withToken } = useAccess();
    const answer = useApprovalAnswer();
    const [asked, setAsked] = useState<'approve' | 'deny' | null>(null);
    const left = Date.parse(approval.expires_at) - useNowMs();
    const what = `${approval.agent ?? 'somebody'} wants to call ${approval.tool ?? 'a model'}`;
    return (
        <div className={css.approval}>
            <p>
                <strong>{what}</strong>
                <span className="dim"> {[approval.workflow, approval.server, approval.session].filter(Boolean).join(' · ')}</span>
            </p>
            <pre className={css.arguments} tabIndex={0} aria-label="Arguments">{readable(approval.arguments)}</pre>
            <p className="dim">
                <Link to={`/containment/${approval.control}`}>{approval.control}</Link> holds it.{' '}
                {left > 0 ? <>Denied by itself in <span className="num">{stopwatch(left)}</span>.</> : 'Its time is over.'}
            </p>
            <div className={css.actions}>
                <Button leftSection={<IconCheck size={16} aria-hidden />} onClick={() => withToken(() => setAsked('approve'))}>Approve once</Button>
                <Button variant="default" leftSection={<IconX size={16} aria-hidden />} onClick={() => withToken(() => setAsked('deny'))}>Deny</Button>
            </div>
            {asked && (
                <ChangeDialog
                    title={asked === 'approve' ? 'Let this call pass, once?' : 'Deny this call?'}
                    lead={<><p><strong>{what}</strong> with exactly these arguments:</p><pre className={css.arguments} tabIndex={0} aria-label="Arguments">{readable(approval.arguments)}</pre></>}
                    submit={asked === 'approve' ? 'Approve once' : 'Deny'}
                    run={(reason) => answer.mutateAsync({ id: approval.id, answer: asked, reason })}
                    onClose={() => setAsked(null)}
                />
            )}
        </div>
    );
}
