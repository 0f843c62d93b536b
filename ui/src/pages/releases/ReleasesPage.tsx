// What runs where: versions with labels and diffs, bundles with their evidence, rollback, journeys.
import { IconVersions } from '@tabler/icons-react';
import { useSearchParams } from 'react-router';

import { useFreezes, useVersions } from '../../api/releases';
import { familyTitle, linesOf } from '../../format/releases';
import { Command, Empty, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Bundles } from './Bundles';
import { FreezeBanner } from './FreezeBanner';
import { Journeys } from './Journeys';
import css from './releases.module.css';
import { VersionLinePanel } from './VersionLinePanel';

export default function ReleasesPage() {
    const { data, error, refetch } = useVersions();
    const freezes = useFreezes().data?.freezes ?? [];
    const [query, setQuery] = useSearchParams();
    const lines = linesOf(data?.versions ?? []);
    const chosen = lines.find(({ family, name }) => family === query.get('family') && name === query.get('name')) ?? lines[0];
    return (
        <Page title="Releases" lead="Prompts, policies and model routes, each versioned on its own; bundles of them; and the way back.">
            <FreezeBanner freezes={freezes} />
            {error && !data ? (
                <Panel><Failure error={error} what="the versions" retry={() => void refetch()} /></Panel>
            ) : !data ? (
                <Panel><Waiting what="the versions" /></Panel>
            ) : !chosen ? (
                <Panel>
                    <Empty icon={<IconVersions size={30} stroke={1.5} aria-hidden />} title="Nothing is versioned yet">
                        <p>Publish a prompt, a policy or a model route, and agents fetch it by its label.</p>
                        <Command text="tagout catalog publish prompt support --file prompt.txt --label production --message 'first'" />
                    </Empty>
                </Panel>
            ) : (
                <div className={css.columns}>
                    <nav className={css.lines} aria-label="Versioned things">
                        {lines.map((line) => (
                            <button
                                key={`${line.family} ${line.name}`}
                                type="button"
                                className={css.line}
                                aria-current={line === chosen ? 'true' : undefined}
                                onClick={() => setQuery({ family: line.family, name: line.name }, { replace: true })}
                            >
                                <span className={css.family}>{familyTitle[line.family]}</span>
                                <strong>{line.name}</strong>
                                <span className="dim">{line.production ? `v${line.production.number} in production` : 'no production label'}</span>
                            </button>
                        ))}
                    </nav>
                    <VersionLinePanel key={`${chosen.family} ${chosen.name}`} line={chosen} freezes={freezes} />
                </div>
            )}
            <Bundles freezes={freezes} />
            <Journeys />
        </Page>
    );
}
