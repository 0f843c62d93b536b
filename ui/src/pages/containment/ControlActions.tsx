// What can be done with a control: prove it again, renew it, and open it again as two persons.
import { Button, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowBackUp, IconClockPlus, IconLockOpen, IconTargetArrow } from '@tabler/icons-react';
import { useState } from 'react';

import { type ReleaseStage, useControlChange } from '../../api/containment';
import { useJourneys, useRunJourneys } from '../../api/releases';
import { personName } from '../../api/token';
import type { Control, Journey } from '../../api/types';
import { scopeParts, scopeText, who } from '../../format/controls';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { InlineError } from '../../parts/layout';
import { AccessNote, useAccess } from '../../shell/access';
import css from './containment.module.css';

type Asked = 'renew' | 'ask' | 'release' | 'back';

export function ControlActions({ control }: { control: Control }) {
    const { withToken } = useAccess();
    const [asked, setAsked] = useState<Asked | null>(null);
    const probe = useControlChange(control.id);
    if (control.state === 'released') return null;
    const open = (what: Asked): void => withToken(() => setAsked(what));
    const prove = (): void =>
        withToken(() =>
            probe.mutate({ do: 'probe', reason: 'Probed again from the page' }, {
                onError: (error) => notifications.show({ color: 'red', title: 'Not probed', message: error.message }),
            }),
        );
    return (
        <>
            <div className={css.actions}>
                <Button variant="default" leftSection={<IconTargetArrow size={16} aria-hidden />} loading={probe.isPending} onClick={prove}>Probe again</Button>
                <Button variant="default" leftSection={<IconClockPlus size={16} aria-hidden />} onClick={() => open('renew')}>Renew</Button>
                {control.validating ? (
                    <Button leftSection={<IconLockOpen size={16} aria-hidden />} onClick={() => open('release')}>{isOpened(control) ? 'Open further' : 'Release as a second person'}</Button>
                ) : (
                    <Button variant="default" leftSection={<IconLockOpen size={16} aria-hidden />} onClick={() => open('ask')}>Ask for release</Button>
                )}
                {isOpened(control) && <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => open('back')}>Put back</Button>}
            </div>
            <AccessNote />
            {asked === 'renew' && <Renew control={control} onClose={() => setAsked(null)} />}
            {asked === 'ask' && <AskRelease control={control} onClose={() => setAsked(null)} />}
            {asked === 'back' && <PutBack control={control} onClose={() => setAsked(null)} />}
            {asked === 'release' && <Release control={control} onClose={() => setAsked(null)} />}
        </>
    );
}

interface Props {
    control: Control;
    onClose: () => void;
}

const hours = [['1', '1 hour'], ['4', '4 hours'], ['12', '12 hours'], ['24', '1 day'], ['72', '3 days'], ['168', '1 week']] as const;

function Renew({ control, onClose }: Props) {
    const change = useControlChange(control.id);
    const [inHours, setInHours] = useState('4');
    return (
        <ChangeDialog
            title={`Renew ${control.id}`}
            lead="It stays in force in any case. This moves the time at which somebody is paged to look again."
            submit="Renew"
            run={(reason) => change.mutateAsync({ do: 'renew', reason, review_by: new Date(Date.now() + Number(inHours) * 3_600_000).toISOString() })}
            onClose={onClose}
        >
            <NativeSelect label="Look again in" value={inHours} data={hours.map(([value, label]) => ({ value, label }))} onChange={(event) => setInHours(event.currentTarget.value)} />
        </ChangeDialog>
    );
}

function AskRelease({ control, onClose }: Props) {
    const change = useControlChange(control.id);
    return (
        <ChangeDialog
            title={`Ask for the release of ${scopeText(control.scope)}`}
            lead="Nothing opens yet. From now on journeys pass it, so that they can prove that it works again. Then a second person, who is neither you nor its author, releases it."
            submit="Ask for release"
            run={(reason) => change.mutateAsync({ do: 'request-release', reason })}
            onClose={onClose}
        />
    );
}

/** Whether somebody beside journeys passes it. */
const isOpened = (control: Control): boolean => control.stage === 'tenant' || control.stage === 'share';

function PutBack({ control, onClose }: Props) {
    const change = useControlChange(control.id);
    return (
        <ChangeDialog
            title={`Put ${control.id} back`}
            lead="It closes again for everybody but journeys, at once. One person is enough to close."
            submit="Put it back"
            danger
            run={(reason) => change.mutateAsync({ do: 'put-back', reason })}
            onClose={onClose}
        />
    );
}

/** What is asked for, or why it cannot be yet. */
function stageOf(how: string, tenant: string, share: string): ReleaseStage | null {
    const percent = Number(share);
    if (how === 'tenant') return tenant.trim() ? { stage: 'tenant', tenant: tenant.trim() } : null;
    if (how === 'share') return Number.isInteger(percent) && percent >= 1 && percent <= 99 ? { stage: 'share', share: percent } : null;
    return { stage: 'all' };
}

/** Journeys that name what the control closed. */
function naming(control: Control, journeys: readonly Journey[]): Journey[] {
    const { kind, name } = scopeParts(control.scope);
    return kind === 'tool' ? journeys.filter(({ tools }) => tools.includes(name)) : [...journeys];
}

/** What is further than the stage it is in. */
const stageChoices = (control: Control): { value: string; label: string }[] => [
    { value: 'all', label: 'All: release it' },
    ...(control.stage_tenant || control.stage === 'share' ? [] : [{ value: 'tenant', label: 'One tenant' }]),
    { value: 'share', label: 'A share of the sessions' },
];

function Release({ control, onClose }: Props) {
    const change = useControlChange(control.id);
    const [actor, setActor] = useState('');
    const [without, setWithout] = useState('');
    const [how, setHow] = useState('all');
    const [tenant, setTenant] = useState('');
    const [share, setShare] = useState('10');
    const stage = stageOf(how, tenant, share);
    const journeys = useJourneys().data?.journeys;
    const mine = journeys && naming(control, journeys);
    const name = actor.trim();
    const barred = [...new Set([control.author, control.release_requested_by].filter((each) => each?.startsWith('person:')).map(who))];
    const same = barred.find((each) => each.toLowerCase() === name.toLowerCase());
    return (
        <ChangeDialog
            title={`Release ${scopeText(control.scope)}`}
            lead={
                <>
                    <p>{how === 'all' ? 'Calls pass again at once.' : 'Only these pass; a journey that fails or a new finding puts it back by itself.'} It needs a second person: not {barred.length > 0 ? barred.join(' and not ') : 'the one who stopped it'}.</p>
                    {control.release_requested_by && <p><strong>{who(control.release_requested_by)}</strong> asked for it{control.release_reason && `: ${control.release_reason}`}</p>}
                </>
            }
            submit={how === 'all' ? 'Release it' : 'Open it so far'}
            disabled={name === '' || same !== undefined || stage === null}
            run={(reason) => change.mutateAsync({ do: 'release', reason, actor: name, ...(stage ?? { stage: 'all' }), ...(without.trim() ? { without_journeys: without.trim() } : {}) })}
            done={() => notifications.show({ message: `${control.id} is ${how === 'all' ? 'released' : 'opened further'} by ${name}.` })}
            onClose={onClose}
        >
            <NativeSelect label="How far" value={how} data={stageChoices(control)} onChange={(event) => setHow(event.currentTarget.value)} />
            {how === 'tenant' && <TextInput label="Tenant" required maxLength={200} value={tenant} onChange={(event) => setTenant(event.currentTarget.value)} />}
            {how === 'share' && (
                <TextInput label="Percent of the sessions" description="Always the same sessions, at every gateway; a larger share keeps them." required inputMode="numeric" value={share} onChange={(event) => setShare(event.currentTarget.value)} />
            )}
            <TextInput
                label="Name of the second person"
                description={personName() ? `This browser acts as ${personName()}. Whoever releases types their own name.` : 'Whoever releases types their own name.'}
                required
                maxLength={200}
                value={actor}
                data-autofocus
                autoComplete="off"
                onChange={(event) => setActor(event.currentTarget.value)}
            />
            {same && <InlineError>{same} {same === who(control.author) ? 'put it in force' : 'asked for the release'}, so somebody else must release it. Two people look before it opens.</InlineError>}
            {mine && <Proving control={control} journeys={mine} />}
            {mine?.length === 0 && (
                <Textarea
                    label="Why it may be released without a journey"
                    description="No journey of tagout.yaml names it, so nothing proves that it works. Add one under `journeys`, or say why it is safe."
                    maxLength={2000}
                    autosize
                    minRows={2}
                    value={without}
                    onChange={(event) => setWithout(event.currentTarget.value)}
                />
            )}
        </ChangeDialog>
    );
}

/** Whether the journeys passed after the release was asked for; the server checks the same. */
function Proving({ control, journeys }: { control: Control; journeys: Journey[] }) {
    const run = useRunJourneys();
    if (journeys.length === 0) return null;
    const asked = Date.parse(control.stage_since ?? control.release_requested_at ?? '');
    return (
        <div className={css.proving}>
            <p><strong>Journeys that prove it</strong></p>
            <ul>
                {journeys.map(({ name, runs: [last] }) => {
                    const fresh = last !== undefined && Date.parse(last.at) >= asked;
                    const passed = fresh && last.passed;
                    return (
                        <li key={name} className={passed ? css.ok : css.bad}>
                            {name}: {passed ? 'passed since its stage began' : fresh ? last.sentence : 'not run since its stage began'}
                        </li>
                    );
                })}
            </ul>
            <Button variant="default" size="compact-sm" loading={run.isPending} onClick={() => run.mutate({ names: journeys.map(({ name }) => name) })}>Run them now</Button>
            {run.error && <InlineError>{run.error.message}</InlineError>}
        </div>
    );
}
