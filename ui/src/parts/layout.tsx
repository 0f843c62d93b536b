// Panels, figures and the three states of every page that reads: waiting, failed, empty.
import { Button, CopyButton, Loader } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useEffect } from 'react';

import { ApiError } from '../api/client';
import css from './parts.module.css';

export function Page({ title, lead, actions, children, bare }: {
    title: string;
    lead?: ReactNode;
    actions?: ReactNode;
    children: ReactNode;
    /** The page draws its own heading. */
    bare?: boolean;
}) {
    useEffect(() => {
        document.title = `${title} - Tagout`;
    }, [title]);
    return (
        <div className={css.page}>
            {!bare && (
                <header className={css.pageHead}>
                    <div>
                        <h1>{title}</h1>
                        {lead && <p>{lead}</p>}
                    </div>
                    {actions && <div className={css.pageActions}>{actions}</div>}
                </header>
            )}
            {children}
        </div>
    );
}

export function Panel({ title, aside, children, flush, className, id }: {
    title?: ReactNode;
    aside?: ReactNode;
    children: ReactNode;
    flush?: boolean;
    className?: string | undefined;
    id?: string;
}) {
    return (
        <section className={`${css.panel} ${className ?? ''}`} id={id}>
            {title !== undefined && (
                <div className={css.panelHead}>
                    <h2 className={css.panelTitle}>{title}</h2>
                    {aside !== undefined && <span className={css.panelAside}>{aside}</span>}
                </div>
            )}
            <div className={flush ? css.flush : css.panelBody}>{children}</div>
        </section>
    );
}

export function Stat({ label, value, note }: { label: ReactNode; value: ReactNode; note?: ReactNode }) {
    return (
        <div className={css.stat}>
            <span className={css.statLabel}>{label}</span>
            <span className={css.statValue}>
                {value}
                {note !== undefined && <small> {note}</small>}
            </span>
        </div>
    );
}

export function Waiting({ what }: { what: string }) {
    return (
        <div className={css.wait} role="status">
            <Loader size="xs" /> Loading {what}…
        </div>
    );
}

export function Failure({ error, what, retry }: { error: unknown; what: string; retry?: () => void }) {
    const text = error instanceof Error ? error.message : String(error);
    const missing = error instanceof ApiError && error.status === 404;
    return (
        <div className={css.message} role="alert">
            <IconAlertTriangle className={css.failureIcon} size={28} stroke={1.5} aria-hidden />
            <h2>{missing ? `There is no ${what}` : `Could not load ${what}`}</h2>
            <p>{text}</p>
            {retry && (
                <Button variant="default" leftSection={<IconRefresh size={15} aria-hidden />} onClick={retry}>
                    Try again
                </Button>
            )}
        </div>
    );
}

export function InlineError({ children }: { children: ReactNode }) {
    return (
        <div className={css.inlineError} role="alert">
            <IconAlertTriangle size={16} stroke={1.75} aria-hidden />
            <div>{children}</div>
        </div>
    );
}

export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
    return (
        <div className={css.message}>
            {icon && <span className={css.messageIcon}>{icon}</span>}
            <h3>{title}</h3>
            {children}
        </div>
    );
}

/** A command to copy. */
export function Command({ text }: { text: string }) {
    return (
        <div className={css.command}>
            <code tabIndex={0}>{text}</code>
            <CopyButton value={text}>
                {({ copied, copy }) => (
                    <Button
                        variant="subtle"
                        size="compact-xs"
                        onClick={copy}
                        leftSection={copied ? <IconCheck size={13} aria-hidden /> : <IconCopy size={13} aria-hidden />}
                    >
                        {copied ? 'Copied' : 'Copy'}
                    </Button>
                )}
            </CopyButton>
        </div>
    );
}

export { css as partsCss };
