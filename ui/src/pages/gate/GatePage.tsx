// The release gate: the verdict, why, and what to do for a pass.
import { NativeSelect } from '@mantine/core';
import { IconAlertCircle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';

import { useGate } from '../../api/prevent';
import { useAgents } from '../../api/queries';
import { useBundles } from '../../api/releases';
import type { GateVerdict } from '../../api/types';
import { Command, Failure, Page, Panel, Waiting } from '../../parts/layout';
import css from './gate.module.css';

const verdicts: Record<GateVerdict, { title: string; icon: typeof IconCircleCheck; tone: string | undefined }> = {
    pass: { title: 'Pass', icon: IconCircleCheck, tone: css.pass },
    fail: { title: 'Fail', icon: IconCircleX, tone: css.fail },
    inconclusive: { title: 'Inconclusive', icon: IconAlertCircle, tone: css.inconclusive },
};

/** "open_incidents" -> "Open incidents". */
const checkTitle = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

export default function GatePage() {
    const [query, setQuery] = useSearchParams();
    const agent = query.get('agent') ?? '';
    const bundle = query.get('bundle') ?? '';
    const { data: gate, error, refetch, isFetching } = useGate(agent, bundle);
    const agents = useAgents().data?.agents.map(({ name }) => name) ?? [];
    const bundles = (useBundles().data?.bundles ?? []).filter((each) => !agent || each.agent === agent);
    const choose = (next: { agent: string; bundle: string }): void =>
        setQuery({ ...(next.agent ? { agent: next.agent } : {}), ...(next.bundle ? { bundle: next.bundle } : {}) }, { replace: true });
    const flags = [agent && `--agent ${agent}`, bundle && `--bundle ${bundle}`].filter(Boolean).join(' ');
    return (
        <Page title="Gate" lead="May a release go out now?">
            <div className={css.chooser} role="search" aria-label="What the gate judges">
                <NativeSelect
                    label="Agent"
                    value={agent}
                    data={[{ value: '', label: 'Every agent' }, ...[...new Set([...agents, ...(agent ? [agent] : [])])].map((name) => ({ value: name, label: name }))]}
                    onChange={(event) => choose({ agent: event.currentTarget.value, bundle: '' })}
                />
                <NativeSelect
                    label="Bundle"
                    value={bundle}
                    data={[{ value: '', label: 'What is in force' }, ...bundles.map(({ id, agent: whose, versions }) => ({ value: id, label: `${id.slice(0, 8)} ${whose}: ${versions.map((version) => `${version.name} v${version.number}`).join(', ')}`.slice(0, 90) }))]}
                    onChange={(event) => choose({ agent, bundle: event.currentTarget.value })}
                />
            </div>
            {error && !gate ? (
                <Panel><Failure error={error} what="the verdict" retry={() => void refetch()} /></Panel>
            ) : !gate ? (
                <Panel><Waiting what="the verdict" /></Panel>
            ) : (
                <>
                    <Verdict verdict={gate.verdict} sentence={gate.sentence} again={() => void refetch()} busy={isFetching} />
                    <Panel title="Checks" aside={`${gate.checks.filter(({ verdict }) => verdict === 'pass').length} of ${gate.checks.length} pass`} flush>
                        <ul className={css.checks} data-testid="checks">
                            {gate.checks.map((check) => {
                                const { icon: Icon, title, tone } = verdicts[check.verdict];
                                return (
                                    <li key={check.name}>
                                        <span className={`${css.mark} ${tone ?? ''}`}><Icon size={18} stroke={1.9} aria-hidden /> {title}</span>
                                        <strong>{checkTitle(check.name)}</strong>
                                        <p>{check.sentence}</p>
                                    </li>
                                );
                            })}
                        </ul>
                    </Panel>
                    <Panel title="In a pipeline">
                        <p className="dim">Exit code 0 for pass, 1 for fail, 2 for inconclusive.</p>
                        <Command text={`tagout gate ${flags}${flags ? ' ' : ''}--junit gate.xml`} />
                    </Panel>
                </>
            )}
        </Page>
    );
}

function Verdict({ verdict, sentence, again, busy }: { verdict: GateVerdict; sentence: string; again: () => void; busy: boolean }) {
    const { icon: Icon, title, tone } = verdicts[verdict];
    return (
        <section className={`${css.verdict} ${tone ?? ''}`} aria-label="Verdict" aria-live="polite" data-testid="verdict" data-verdict={verdict}>
            <Icon size={46} stroke={1.6} aria-hidden />
            <div>
                <h2>{title}</h2>
                <p>{sentence}</p>
            </div>
            <button type="button" onClick={again} disabled={busy}>{busy ? 'Checking…' : 'Check again'}</button>
        </section>
    );
}
