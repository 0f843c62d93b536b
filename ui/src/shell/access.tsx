// Whether this browser may make changes and in whose name, and the dialogue that asks for what is missing.
import { Anchor, Button, Checkbox, Modal, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type FormEvent, type ReactNode, useCallback, useContext, useRef, useState } from 'react';

import { ApiError } from '../api/client';
import { keys } from '../api/keys';
import { useTokenCheck } from '../api/queries';
import { keepPersonName, keepToken, personName, tokenIsRemembered, usePersonName, useToken } from '../api/token';
import type { TokenInfo } from '../api/types';
import { InlineError } from '../parts/layout';
import css from './access.module.css';

export type Standing = 'missing' | 'checking' | 'wrong' | 'unreachable' | 'ok';

interface Access {
    standing: Standing;
    /** Runs `then` at once when changes are allowed and it is known whose they are, else asks for that first. */
    withToken: (then: () => void) => void;
    /** For a change that the server refused with 401. */
    ask: () => void;
}

const AccessContext = createContext<Access | null>(null);

export function useAccess(): Access {
    const access = useContext(AccessContext);
    if (!access) throw new Error('useAccess outside of AccessProvider');
    return access;
}

export function useStanding(): Standing {
    const held = useToken();
    const check = useTokenCheck();
    if (!held) return 'missing';
    if (check.isSuccess) return 'ok';
    if (check.isPending) return 'checking';
    return check.error instanceof ApiError && check.error.status === 401 ? 'wrong' : 'unreachable';
}

async function tryToken(candidate: string): Promise<TokenInfo> {
    let answer: Response;
    try {
        answer = await fetch('/v1/token', { headers: { Authorization: `Bearer ${candidate}` } });
    } catch {
        throw new Error(`${window.location.host} does not answer, so the token could not be checked. See that \`tagout serve\` runs.`);
    }
    if (answer.status === 401) {
        throw new Error('The server does not accept this token. Copy it again, whole, from the file admin.token in the data folder of this server.');
    }
    if (!answer.ok) throw new Error(`The server answered ${answer.status} when asked about the token. Its log may tell more.`);
    return (await answer.json()) as TokenInfo;
}

/** Asks for the token, and with `named` for the person's name as well. */
export function TokenForm({ onDone, autoFocus, named }: { onDone?: () => void; autoFocus?: boolean; named?: boolean }) {
    const cache = useQueryClient();
    const standing = useStanding();
    const [value, setValue] = useState('');
    const [name, setName] = useState(personName());
    const [remember, setRemember] = useState(tokenIsRemembered());
    const [error, setError] = useState('');
    const [busy, setBusy] = useState(false);
    const needsToken = standing !== 'ok' && standing !== 'unreachable';
    const submit = async (event: FormEvent): Promise<void> => {
        event.preventDefault();
        // A dialogue's form may stand inside another's in React's tree.
        event.stopPropagation();
        const candidate = value.trim();
        if (needsToken && !candidate) {
            setError('Paste the token first.');
            return;
        }
        setBusy(true);
        setError('');
        try {
            if (needsToken) {
                cache.setQueryData(keys.token(candidate), await tryToken(candidate));
                keepToken(candidate, remember);
            }
            if (named) keepPersonName(name);
            setValue('');
            onDone?.();
        } catch (cause) {
            setError(cause instanceof Error ? cause.message : String(cause));
        } finally {
            setBusy(false);
        }
    };
    return (
        <form className={css.form} onSubmit={(event) => void submit(event)}>
            {named && (
                <TextInput
                    label="Your name"
                    description="It signs what you do, on the timeline and in the journal."
                    required
                    maxLength={200}
                    value={name}
                    data-autofocus={(autoFocus && !needsToken) || undefined}
                    onChange={(event) => setName(event.currentTarget.value)}
                    autoComplete="username"
                />
            )}
            {needsToken && (
                <>
                    <PasswordInput
                        label="Administrator token"
                        placeholder="tagout_…"
                        value={value}
                        onChange={(event) => setValue(event.currentTarget.value)}
                        autoComplete="off"
                        data-autofocus={autoFocus || undefined}
                        spellCheck={false}
                    />
                    <Checkbox
                        label="Remember it in this browser"
                        description="Otherwise it is forgotten when this tab is closed. Do not tick it on a shared machine."
                        checked={remember}
                        onChange={(event) => setRemember(event.currentTarget.checked)}
                    />
                </>
            )}
            {error && <InlineError>{error}</InlineError>}
            <Button type="submit" loading={busy} className={css.submit}>
                {needsToken ? 'Check and keep' : 'Go on'}
            </Button>
        </form>
    );
}

export function TokenHelp() {
    return (
        <p className={css.help}>
            Reading is open to whoever reaches this address; changes need the administrator's token. Tagout made it at its
            first run, printed it once, and keeps it in the file <code>admin.token</code> of its data folder:{' '}
            <code>cat data/admin.token</code>.
        </p>
    );
}

export function AccessProvider({ children }: { children: ReactNode }) {
    const standing = useStanding();
    const named = usePersonName() !== '';
    const [asking, setAsking] = useState(false);
    const pending = useRef<(() => void) | null>(null);
    const ask = useCallback(() => setAsking(true), []);
    const withToken = useCallback(
        (then: () => void) => {
            if ((standing === 'ok' || standing === 'unreachable') && named) {
                then();
                return;
            }
            pending.current = then;
            setAsking(true);
        },
        [standing, named],
    );
    const close = (): void => {
        pending.current = null;
        setAsking(false);
    };
    return (
        <AccessContext.Provider value={{ standing, withToken, ask }}>
            {children}
            <Modal opened={asking} onClose={close} title={standing === 'ok' ? 'Who are you?' : 'This change needs the token'}>
                <div className={css.dialog}>
                    {standing === 'wrong' && (
                        <InlineError>The token that this browser keeps is not accepted any more. Give the present one.</InlineError>
                    )}
                    {standing !== 'ok' && <TokenHelp />}
                    <TokenForm
                        autoFocus
                        named
                        onDone={() => {
                            const then = pending.current;
                            close();
                            then?.();
                        }}
                    />
                </div>
            </Modal>
        </AccessContext.Provider>
    );
}

/** One line beside the actions, when they will ask for the token. */
export function AccessNote() {
    const { standing, ask } = useAccess();
    if (standing === 'ok' || standing === 'checking') return null;
    const text = {
        missing: 'Read only: changes need the administrator token.',
        wrong: 'Read only: the server does not accept the token that this browser keeps.',
        unreachable: 'The token could not be checked: the server does not answer.',
    }[standing];
    return (
        <p className={css.note}>
            {text}{' '}
            {standing !== 'unreachable' && (
                <Anchor component="button" type="button" inherit onClick={ask}>
                    Enter the token
                </Anchor>
            )}
        </p>
    );
}
