// Rolling back: the second of two steps. It is a forward move of the production label, signed and reasoned.
import { NativeSelect, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { Link } from 'react-router';

import { useBundles, useRollback } from '../../api/releases';
import type { Bundle, Freeze, VersionFamily } from '../../api/types';
import { type VersionLine, familyTitle, freezeOf } from '../../format/releases';
import { ChangeDialog } from '../../parts/ChangeDialog';
import css from './releases.module.css';

interface Props {
    family: VersionFamily | 'bundle';
    /** With family bundle the agent. */
    name: string;
    line?: VersionLine;
    bundles?: readonly Bundle[];
    freezes: readonly Freeze[];
    onClose: () => void;
}

const versionOf = (bundle: Bundle | undefined, family: string, name: string): number | undefined =>
    bundle?.versions.find((version) => version.family === family && version.name === name)?.number;

export function RollbackDialog({ family, name, line, bundles, freezes, onClose }: Props) {
    const rollback = useRollback();
    const allBundles = useBundles().data?.bundles ?? [];
    const frozen = freezeOf(line ?? { agent: name }, freezes);
    const [to, setTo] = useState('');
    const [incident, setIncident] = useState(frozen?.incident ?? '');
    const [emergency, setEmergency] = useState('');
    const [passes, setPasses] = useState<'incident' | 'emergency'>('incident');
    const known = allBundles.find((bundle) => bundle.last_known_good && bundle.agent === (line ? line.agent : name));
    const good = line ? versionOf(known, line.family, line.name) : undefined;
    const previous = line?.versions.find((version) => version.was_production && version.number !== line.production?.number);
    const byDefault = line
        ? good !== undefined && good !== line.production?.number ? `v${good}, of the last known good bundle` : previous ? `v${previous.number}, which production had before` : 'what production had before'
        : known ? `the last known good, ${known.id.slice(0, 8)}` : 'the last known good';
    const choices = line
        ? line.versions.filter(({ number }) => number !== line.production?.number).map((version) => ({ value: `v${version.number}`, label: `v${version.number}: ${version.message.slice(0, 60)}` }))
        : (bundles ?? []).filter(({ in_force }) => !in_force).map((bundle) => ({ value: bundle.id, label: `${bundle.id.slice(0, 8)}: ${bundle.versions.map((version) => `${version.name} v${version.number}`).join(', ').slice(0, 60)}` }));
    return (
        <ChangeDialog
            title={`Roll back ${familyTitle[family].toLowerCase()} ${name}`}
            lead={
                <>
                    {line?.production && <p>Production is <strong>v{line.production.number}</strong>: {line.production.message}</p>}
                    <p>Agents that fetch by the label get the earlier one from then on. Nothing is deleted; the move can be rolled back too.</p>
                </>
            }
            submit={to ? `Roll back to ${line ? to : to.slice(0, 8)}` : 'Roll back'}
            danger
            disabled={frozen !== undefined && (passes === 'incident' ? incident === '' : emergency.trim() === '')}
            reason={{ initial: frozen ? `${frozen.incident}: ${frozen.title}`.slice(0, 2000) : '' }}
            run={(reason) =>
                rollback.mutateAsync({
                    family, name, reason,
                    ...(to ? { to } : {}),
                    ...(line?.production ? { from: `v${line.production.number}` } : {}),
                    ...(frozen && passes === 'incident' && incident ? { incident } : {}),
                    ...(frozen && passes === 'emergency' ? { emergency: emergency.trim() } : {}),
                })
            }
            done={({ sentence }) => notifications.show({ message: sentence })}
            onClose={onClose}
        >
            <NativeSelect data-autofocus label="Back to" value={to} data={[{ value: '', label: `By itself: ${byDefault}` }, ...choices]} onChange={(event) => setTo(event.currentTarget.value)} />
            {frozen && (
                <div className={css.frozen}>
                    <p><strong>A freeze is on.</strong> <Link to={`/incidents/${frozen.incident}`}>{frozen.incident}</Link>: {frozen.sentence}</p>
                    <NativeSelect
                        label="This change passes as"
                        value={passes}
                        data={[{ value: 'incident', label: 'part of mending the incident' }, { value: 'emergency', label: 'an emergency that has nothing to do with it' }]}
                        onChange={(event) => setPasses(event.currentTarget.value as 'incident' | 'emergency')}
                    />
                    {passes === 'incident' ? (
                        <NativeSelect label="Incident" value={incident} data={freezes.map((freeze) => ({ value: freeze.incident, label: `${freeze.incident} ${freeze.title}`.slice(0, 80) }))} onChange={(event) => setIncident(event.currentTarget.value)} />
                    ) : (
                        <TextInput label="Why it cannot wait" required maxLength={2000} value={emergency} onChange={(event) => setEmergency(event.currentTarget.value)} />
                    )}
                </div>
            )}
        </ChangeDialog>
    );
}
