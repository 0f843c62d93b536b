// Bundles of each agent: one of each version, what speaks for it and against it, which is the last known good.
import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useBundles, useMakeBundle } from '../../api/releases';
import type { Bundle, Freeze } from '../../api/types';
import { count, percent } from '../../format/number';
import { duration } from '../../format/time';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { Failure, Panel, partsCss, Waiting } from '../../parts/layout';
import { Ago } from '../../parts/When';
import { useAccess } from '../../shell/access';
import css from './releases.module.css';
import { RollbackDialog } from './RollbackDialog';

export function Bundles({ freezes }: { freezes: readonly Freeze[] }) {
    const { data, error, refetch } = useBundles();
    if (error && !data) return <Panel title="Bundles"><Failure error={error} what="the bundles" retry={() => void refetch()} /></Panel>;
    if (!data) return <Panel title="Bundles"><Waiting what="the bundles" /></Panel>;
    const agents = [...new Set(data.bundles.map(({ agent }) => agent))].sort();
    if (agents.length === 0) {
        return (
            <Panel title="Bundles">
                <p className="dim">None yet. A bundle is made by itself as soon as an agent has a version in production.</p>
            </Panel>
        );
    }
    return <>{agents.map((agent) => <AgentBundles key={agent} agent={agent} bundles={data.bundles.filter((bundle) => bundle.agent === agent)} freezes={freezes} />)}</>;
}

function AgentBundles({ agent, bundles, freezes }: { agent: string; bundles: Bundle[]; freezes: readonly Freeze[] }) {
    const { withToken } = useAccess();
    const make = useMakeBundle();
    const [asked, setAsked] = useState<'rollback' | 'make' | null>(null);
    return (
        <Panel
            title={<>Bundles of <span className={css.name}>{agent}</span></>}
            aside={
                <span className={css.asideButtons}>
                    <Button variant="default" onClick={() => withToken(() => setAsked('make'))}>Name what runs now</Button>
                    <Button color="stop" variant="light" leftSection={<IconArrowBackUp size={16} aria-hidden />} disabled={bundles.length < 2} onClick={() => withToken(() => setAsked('rollback'))}>Roll back the bundle</Button>
                </span>
            }
            flush
        >
            <ul className={css.bundles} data-testid="bundles">
                {bundles.map((bundle) => <li key={bundle.id}><BundleLine bundle={bundle} /></li>)}
            </ul>
            {asked === 'rollback' && <RollbackDialog family="bundle" name={agent} bundles={bundles} freezes={freezes} onClose={() => setAsked(null)} />}
            {asked === 'make' && (
                <ChangeDialog
                    title={`Name what ${agent} runs now as a bundle`}
                    lead="The versions with the production label and the tools that it uses now. The same set gives the bundle that exists."
                    submit="Make the bundle"
                    run={(reason) => make.mutateAsync({ agent, reason })}
                    done={(bundle) => notifications.show({ message: `Bundle ${bundle.id.slice(0, 8)}: ${bundle.sentence}` })}
                    onClose={() => setAsked(null)}
                />
            )}
        </Panel>
    );
}

function BundleLine({ bundle }: { bundle: Bundle }) {
    const { succeeded, failed, abandoned, denied, unknown, in_force_seconds } = bundle.evidence;
    const all = succeeded + failed + abandoned + denied + unknown;
    return (
        <>
            <p className={css.bundleHead}>
                <code>{bundle.id.slice(0, 8)}</code>
                {bundle.in_force && <span className={partsCss.chip}>In force</span>}
                {bundle.last_known_good && <span className={`${partsCss.chip} ${partsCss.good}`}><IconShieldCheck size={13} aria-hidden />Last known good</span>}
                {bundle.good && !bundle.last_known_good && <span className={`${partsCss.chip} ${partsCss.good}`}>Good</span>}
                {bundle.blocked_by.length > 0 && <span className={`${partsCss.chip} ${partsCss.hot}`}>Blocked</span>}
                <span>{bundle.versions.map((version) => `${version.name} v${version.number}`).join(', ')}</span>
            </p>
            <p>{bundle.sentence}</p>
            <p className={css.meta}>
                {all > 0 ? <span>{count(succeeded)} of {count(all)} sessions succeeded ({percent(succeeded / all)}), {count(failed)} failed</span> : <span>no session has ended on it</span>}
                <span>in force for {duration(in_force_seconds * 1000)}</span>
                <span>made <Ago at={bundle.made_at} /></span>
                {bundle.tools.length > 0 && <span title={bundle.tools.join(', ')}>{bundle.tools.length} tools</span>}
                {bundle.blocked_by.map((incident) => <Link key={incident} to={`/incidents/${incident}`}>{incident}</Link>)}
            </p>
        </>
    );
}
