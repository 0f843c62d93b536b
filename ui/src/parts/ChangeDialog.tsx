// The dialogue of one change: its fields, the reason, and what the server said when it refused.
import { Button, Modal, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';

import { ApiError } from '../api/client';
import { useAccess } from '../shell/access';
import css from './dialog.module.css';
import { InlineError } from './layout';

interface Props<T> {
    title: string;
    lead?: ReactNode;
    submit: string;
    danger?: boolean;
    size?: string;
    /** What the reason is called and begins with; null when this change has none. */
    reason?: { label?: string; initial?: string; description?: string } | null;
    /** Something is missing that only the caller knows of. */
    disabled?: boolean;
    run: (reason: string) => Promise<T>;
    done?: (result: T) => void;
    onClose: () => void;
    children?: ReactNode;
}

export function ChangeDialog<T>({ title, lead, submit, danger, size, reason = {}, disabled, run, done, onClose, children }: Props<T>) {
    const { ask } = useAccess();
    const [text, setText] = useState(reason?.initial ?? '');
    const change = useMutation({ mutationFn: () => run(text.trim()) });
    const send = (event: FormEvent): void => {
        event.preventDefault();
        change.mutate(undefined, {
            onSuccess: (result) => {
                onClose();
                done?.(result);
            },
            onError: (error) => {
                if (error instanceof ApiError && error.status === 401) ask();
            },
        });
    };
    return (
        <Modal opened onClose={onClose} title={title} classNames={{ inner: css.inner, content: css.content }} {...(size ? { size } : {})}>
            <form className={css.fields} onSubmit={send}>
                {lead && <div className={css.lead}>{lead}</div>}
                {children}
                {reason && (
                    <Textarea
                        label={reason.label ?? 'Reason'}
                        description={reason.description ?? 'It goes into the timeline and the journal.'}
                        required
                        maxLength={2000}
                        autosize
                        minRows={2}
                        maxRows={8}
                        value={text}
                        onChange={(event) => setText(event.currentTarget.value)}
                    />
                )}
                {change.error && <InlineError>{change.error.message}</InlineError>}
                <div className={css.buttons}>
                    <Button type="submit" loading={change.isPending} disabled={disabled || (reason !== null && !text.trim())} {...(danger ? { color: 'stop' } : {})}>
                        {submit}
                    </Button>
                    <Button variant="default" onClick={onClose}>Leave it</Button>
                </div>
            </form>
        </Modal>
    );
}
