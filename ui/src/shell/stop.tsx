// Stopping takes two taps: one opens this sheet with everything filled in, the second confirms. After
// it the sheet shows whether the stop bit, live.
import { Button, Modal, NativeSelect, TextInput, Textarea } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, createContext, useCallback, useContext, useEffect, useId, useState } from 'react';
import { Link } from 'react-router';

import { ApiError } from '../api/client';
import { useApplyControl, useControl } from '../api/containment';
import { useAgents } from '../api/queries';
import type { Agent, Control, ControlMode } from '../api/types';
import { controlVerb, hitsOf, lowerFirst, modeMeaning, modeTitle, modes, scopeKinds, scopeParts, scopeText, toolClasses } from '../format/controls';
import { count, plural } from '../format/number';
import dialog from '../parts/dialog.module.css';
import { InlineError } from '../parts/layout';
import { Proof } from '../parts/Proof';
import { useAccess } from './access';
import css from './stop.module.css';

export interface StopDraft {
    /** "" when the person is to choose. */
    scope: string;
    mode?: ControlMode;
    reason?: string;
    incident?: string;
    routeTo?: string;
}

const StopContext = createContext<((draft: StopDraft) => void) | null>(null);

export function useStop(): (draft: StopDraft) => void {
    const open = useContext(StopContext);
    if (!open) throw new Error('useStop outside of StopProvider');
    return open;
}

export function StopProvider({ children }: { children: ReactNode }) {
    const { withToken } = useAccess();
    const [draft, setDraft] = useState<StopDraft | null>(null);
    const open = useCallback((wanted: StopDraft) => withToken(() => setDraft(wanted)), [withToken]);
    return (
        <StopContext.Provider value={open}>
            {children}
            {draft && <StopSheet draft={draft} onClose={() => setDraft(null)} />}
        </StopContext.Provider>
    );
}

function StopSheet({ draft, onClose }: { draft: StopDraft; onClose: () => void }) {
    const apply = useApplyControl();
    const control = apply.data;
    const [asked, setAsked] = useState<Asked>({ scope: draft.scope, mode: draft.mode ?? 'stopped', routeTo: draft.routeTo });
    return (
        <Modal
            opened
            onClose={onClose}
            title={control ? `${modeTitle[control.mode]}: ${scopeText(control.scope)}` : titleOf(asked)}
            classNames={{ inner: dialog.inner, content: dialog.content }}
            size="lg"
        >
            {control ? <Outcome applied={control} onClose={onClose} /> : <Ask draft={draft} apply={apply} onAsked={setAsked} onClose={onClose} />}
        </Modal>
    );
}

/** What the form asks for at the moment: the title says it. */
interface Asked {
    scope: string;
    mode: ControlMode;
    routeTo?: string;
}

const titleOf = ({ scope, mode, routeTo }: Asked): string => {
    const named = scope === 'global' || scopeParts(scope).name !== '';
    return named ? `${controlVerb(mode, scope, routeTo || undefined)}?` : mode === 'stopped' ? 'Stop' : modeTitle[mode];
};

/** Words between blanks or commas. */
const listed = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

function Ask({ draft, apply, onAsked, onClose }: {
    draft: StopDraft; apply: ReturnType<typeof useApplyControl>; onAsked: (asked: Asked) => void; onClose: () => void;
}) {
    const { ask } = useAccess();
    const agents = useAgents().data?.agents ?? [];
    const given = scopeParts(draft.scope || 'tool:');
    const [changing, setChanging] = useState(!draft.scope);
    const [kind, setKind] = useState(given.kind);
    const [name, setName] = useState(given.name);
    const [mode, setMode] = useState<ControlMode>(draft.mode ?? 'stopped');
    const [routeTo, setRouteTo] = useState(draft.routeTo ?? '');
    const [allowed, setAllowed] = useState('');
    const [rate, setRate] = useState('20/1m');
    const [budget, setBudget] = useState('200000 tokens/1d');
    const [pin, setPin] = useState('');
    const [redact, setRedact] = useState('email, phone, card, secret');
    const [reason, setReason] = useState(draft.reason ?? '');
    const [typed, setTyped] = useState('');
    const scope = kind === 'global' ? 'global' : `${kind}:${name.trim()}`;
    useEffect(() => onAsked({ scope, mode, routeTo }), [onAsked, scope, mode, routeTo]);
    const complete = (kind === 'global' ? typed.trim() === 'global' : name.trim() !== '') && reason.trim() !== '' && (mode !== 'route' || routeTo.trim() !== '') && (mode !== 'throttle' || rate.trim() !== '') && (mode !== 'pin' || listed(pin).length > 0) && (mode !== 'budget' || budget.trim() !== '') && (mode !== 'redact' || listed(redact).length > 0);
    const send = (event: FormEvent): void => {
        event.preventDefault();
        if (!complete) return;
        apply.mutate(
            {
                scope, mode, reason: reason.trim(),
                ...(draft.incident ? { incident: draft.incident } : {}),
                ...(mode === 'route' ? { route_to: routeTo.trim() } : {}),
                ...(mode === 'throttle' ? { rate: rate.trim() } : {}),
                ...(mode === 'pin' ? { pin: listed(pin) } : {}),
                ...(mode === 'budget' ? { budget: budget.trim() } : {}),
                ...(mode === 'redact' ? { redact: listed(redact) } : {}),
                ...(mode === 'allowlist' ? { allowed: listed(allowed) } : {}),
            },
            {
                onError: (error) => {
                    if (error instanceof ApiError && error.status === 401) ask();
                },
            },
        );
    };
    return (
        <form className={dialog.fields} onSubmit={send}>
            {changing && (
                <>
                    <ScopeFields kind={kind} name={name} agents={agents} onKind={setKind} onName={setName} />
                    <NativeSelect label="How" value={mode} data={modes.map((value) => ({ value, label: modeTitle[value] }))} onChange={(event) => setMode(event.currentTarget.value as ControlMode)} />
                    {mode === 'allowlist' && <TextInput label="Tools that still pass" description="Names or globs, separated by commas" value={allowed} onChange={(event) => setAllowed(event.currentTarget.value)} />}
                    {mode === 'throttle' && <TextInput label="Calls in a period" description="Such as 20/1m: twenty a minute" value={rate} onChange={(event) => setRate(event.currentTarget.value)} />}
                    {mode === 'pin' && <TextInput label="Versions" description="Such as prompts/support@v3, model-routes/main@v2" value={pin} onChange={(event) => setPin(event.currentTarget.value)} />}
                    {mode === 'budget' && <TextInput label="Tokens or dollars" description="Such as 200000 tokens/1d, or 5 usd for all while it stands" value={budget} onChange={(event) => setBudget(event.currentTarget.value)} />}
                    {mode === 'redact' && <TextInput label="What is taken out" description="email, phone, card, iban, ssn, ip, secret, or re:PATTERN" value={redact} onChange={(event) => setRedact(event.currentTarget.value)} />}
                    {mode === 'route' && <Suggested label={kind === 'model' ? 'To which model' : 'To which workflow'} value={routeTo} onChange={setRouteTo} among={agents.flatMap((agent) => agent.workflows)} />}
                </>
            )}
            <Preview scope={scope} mode={mode} named={kind === 'global' || name.trim() !== ''} agents={agents} />
            <Textarea
                label="Reason"
                description="Told to people, and to the model that is refused."
                required
                maxLength={2000}
                autosize
                minRows={1}
                maxRows={6}
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value)}
            />
            {kind === 'global' && (
                <TextInput label={<>This stops every agent. Type <code>global</code> to confirm</>} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" spellCheck={false} />
            )}
            {apply.error && <InlineError>{apply.error.message}</InlineError>}
            <div className={dialog.buttons}>
                <Button type="submit" size="md" color={mode === 'observe' ? 'ink' : 'stop'} loading={apply.isPending} disabled={!complete} data-autofocus={!changing || undefined} leftSection={<IconHandStop size={18} aria-hidden />}>
                    {kind !== 'global' && !name.trim() ? 'Confirm' : `Confirm: ${lowerFirst(controlVerb(mode, scope, routeTo))}`}
                </Button>
                {!changing && <Button variant="default" size="md" onClick={() => setChanging(true)}>Change what or how</Button>}
                <Button variant="subtle" size="md" onClick={onClose}>Leave it</Button>
            </div>
        </form>
    );
}

function ScopeFields({ kind, name, agents, onKind, onName }: {
    kind: string; name: string; agents: readonly Agent[]; onKind: (kind: string) => void; onName: (name: string) => void;
}) {
    const among: Record<string, string[]> = {
        tool: agents.flatMap((agent) => agent.tools.map((tool) => tool.name)),
        agent: agents.map((agent) => agent.name),
        workflow: agents.flatMap((agent) => agent.workflows),
        model: agents.flatMap((agent) => agent.models ?? []),
    };
    return (
        <div className={dialog.pair}>
            <NativeSelect
                label="What"
                data-autofocus
                value={kind}
                data={scopeKinds.map(({ value, label }) => ({ value, label }))}
                onChange={(event) => {
                    onKind(event.currentTarget.value);
                    onName(event.currentTarget.value === 'tool_class' ? 'write' : '');
                }}
            />
            {kind === 'tool_class' ? (
                <NativeSelect label="Class" value={name} data={[...toolClasses].map((value) => ({ value, label: value.replaceAll('_', ' ') }))} onChange={(event) => onName(event.currentTarget.value)} />
            ) : (
                kind !== 'global' && <Suggested label="Name" value={name} onChange={onName} among={among[kind] ?? []} />
            )}
        </div>
    );
}

function Suggested({ label, value, onChange, among }: { label: string; value: string; onChange: (value: string) => void; among: string[] }) {
    const id = useId();
    return (
        <>
            <TextInput label={label} required maxLength={256} value={value} list={id} placeholder="A name, or a glob such as payments.*" autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.currentTarget.value)} />
            <datalist id={id}>{[...new Set(among)].map((each) => <option key={each} value={each} />)}</datalist>
        </>
    );
}

/** What it will hit, by what is known of the last hour. */
function Preview({ scope, mode, named, agents }: { scope: string; mode: ControlMode; named: boolean; agents: readonly Agent[] }) {
    const hits = named ? hitsOf(scope, agents) : null;
    return (
        <div className={css.preview} data-testid="stop-preview">
            <p>{modeMeaning[mode]}</p>
            {hits && hits.agents.length > 0 && (
                <p>
                    Hits <strong>{hits.agents.length > 3 ? plural(hits.agents.length, 'agent') : hits.agents.join(', ')}</strong>
                    {hits.tools.length > 0 && hits.tools.length <= 4 && <> with {hits.tools.join(', ')}</>}
                    {hits.tools.length > 4 && <> with {plural(hits.tools.length, 'tool')}</>}
                    : <strong>{plural(hits.sessionsLastHour, 'session')}</strong> in the last hour, {count(hits.failedLastHour)} of them failed.
                </p>
            )}
            {hits && hits.agents.length === 0 && <p>No agent that is known uses it: nothing is hit now, and whoever calls it later is refused.</p>}
            {named && !hits && <p>How many calls it hits cannot be told beforehand.</p>}
            <p>It holds until a second person releases it.</p>
        </div>
    );
}

function Outcome({ applied, onClose }: { applied: Control; onClose: () => void }) {
    const control = useControl(applied.id).data ?? applied;
    return (
        <div className={dialog.fields}>
            <Proof control={control} />
            <p className="dim">
                {control.id} by {control.author.replace(/^\w+:/, '')}. One person may stop; releasing it takes a second one.
            </p>
            <div className={dialog.buttons}>
                <Button size="md" onClick={onClose} data-autofocus>Done</Button>
                <Button size="md" variant="default" component={Link} to={`/containment/${control.id}`} onClick={onClose}>See {control.id}</Button>
            </div>
        </div>
    );
}
