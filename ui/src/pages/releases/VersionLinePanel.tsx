// One prompt, policy or model route: its versions, what changed between two, and the way back.
import { Button, NativeSelect } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import type { Freeze, Version } from '../../api/types';
import { who } from '../../format/controls';
import { type VersionLine, familyTitle } from '../../format/releases';
import { Panel, partsCss } from '../../parts/layout';
import { Ago } from '../../parts/When';
import { useAccess } from '../../shell/access';
import { Diff } from './Diff';
import css from './releases.module.css';
import { RollbackDialog } from './RollbackDialog';

export function Labels({ version }: { version: Version }) {
    return (
        <>
            {version.labels.filter((label) => label !== 'latest').map((label) => (
                <span key={label} className={`${partsCss.chip} ${label === 'production' ? partsCss.good : ''}`}>{label}</span>
            ))}
        </>
    );
}

/** By default: what production changed against the one before it. */
function preset(line: VersionLine): { from: number; to: number } {
    const to = line.production?.number ?? line.versions[0]?.number ?? 0;
    const before = line.versions.find(({ number }) => number < to);
    return { from: before?.number ?? to, to };
}

export function VersionLinePanel({ line, freezes }: { line: VersionLine; freezes: readonly Freeze[] }) {
    const { withToken } = useAccess();
    const [query, setQuery] = useSearchParams();
    const asked = query.get('rollback') === '1';
    const [pair, setPair] = useState(preset(line));
    const [rolling, setRolling] = useState(false);
    const choices = line.versions.map(({ number, labels }) => ({ value: String(number), label: `v${number}${labels.includes('production') ? ' (production)' : ''}` }));
    const close = (): void => {
        setRolling(false);
        if (asked) {
            setQuery((before) => {
                before.delete('rollback');
                return before;
            }, { replace: true });
        }
    };
    return (
        <Panel
            title={<>{familyTitle[line.family]} <span className={css.name}>{line.name}</span></>}
            aside={
                <Button color="stop" variant="light" leftSection={<IconArrowBackUp size={16} aria-hidden />} disabled={line.versions.length < 2} onClick={() => withToken(() => setRolling(true))}>
                    Roll back
                </Button>
            }
            flush
        >
            <ul className={css.versions} aria-label={`Versions of ${line.name}`} data-testid="versions">
                {line.versions.map((version) => (
                    <li key={version.hash} className={version.number === pair.to ? css.chosen : ''}>
                        <button type="button" className={css.version} aria-pressed={version.number === pair.to} onClick={() => setPair({ from: line.versions.find(({ number }) => number < version.number)?.number ?? version.number, to: version.number })}>
                            <b>v{version.number}</b>
                            <span className={css.message}>{version.message}</span>
                            <span className={css.labels}><Labels version={version} /></span>
                            <span className={css.meta}>
                                {who(version.author)}, <Ago at={version.created_at} /> <code>{version.hash.slice(0, 8)}</code>
                            </span>
                        </button>
                        {version.incident && <Link to={`/incidents/${version.incident}`}>{version.incident}</Link>}
                    </li>
                ))}
            </ul>
            {line.versions.length > 1 && (
                <div className={css.compare}>
                    <NativeSelect label="From" value={String(pair.from)} data={choices} onChange={(event) => setPair({ ...pair, from: Number(event.currentTarget.value) })} />
                    <NativeSelect label="To" value={String(pair.to)} data={choices} onChange={(event) => setPair({ ...pair, to: Number(event.currentTarget.value) })} />
                </div>
            )}
            <Diff line={line} from={pair.from} to={pair.to} />
            {(rolling || asked) && <RollbackDialog family={line.family} name={line.name} line={line} freezes={freezes} onClose={close} />}
        </Panel>
    );
}
