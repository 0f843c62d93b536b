// What happened and what was done, newest last; when it occurred, and when Tagout came to know.
import { Button, Textarea } from '@mantine/core';
import {
    IconAdjustments, IconBell, IconCircleCheck, IconFlag, IconLock, IconMessage2, IconRadar2,
} from '@tabler/icons-react';
import { type FormEvent, type KeyboardEvent, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { ApiError } from '../../api/client';
import { useIncidentChange } from '../../api/queries';
import type { Incident, TimelineEntry } from '../../api/types';
import { duration, utcTime } from '../../format/time';
import { InlineError, Panel } from '../../parts/layout';
import { At } from '../../parts/When';
import { useAccess } from '../../shell/access';
import css from './incident.module.css';
import { evidenceLink } from './links';

const sources: Record<TimelineEntry['source'], { label: string; icon: typeof IconFlag }> = {
    signal: { label: 'Signals', icon: IconRadar2 },
    state: { label: 'State', icon: IconFlag },
    person: { label: 'People', icon: IconMessage2 },
    notice: { label: 'Notices', icon: IconBell },
    containment: { label: 'Containment', icon: IconLock },
    change: { label: 'Changes', icon: IconAdjustments },
    verification: { label: 'Verification', icon: IconCircleCheck },
};
const allSources = Object.keys(sources) as TimelineEntry['source'][];
const shownMax = 200;
const lateMs = 2_000;

export function Timeline({ incident }: { incident: Incident }) {
    const [query, setQuery] = useSearchParams();
    const [earlier, setEarlier] = useState(0);
    const wanted = query.get('source');
    const present = allSources.filter((source) => incident.timeline.some((entry) => entry.source === source));
    const rows = incident.timeline.filter((entry) => !wanted || entry.source === wanted);
    const shown = rows.slice(Math.max(0, rows.length - shownMax - earlier));
    const choose = (source: string | null): void =>
        setQuery((before) => {
            const next = new URLSearchParams(before);
            if (source) next.set('source', source);
            else next.delete('source');
            return next;
        }, { replace: true });
    return (
        <Panel title="Timeline" aside="newest last">
            <div className={css.filters} role="group" aria-label="Show entries of">
                <button type="button" aria-pressed={!wanted} onClick={() => choose(null)}>All</button>
                {present.map((source) => (
                    <button key={source} type="button" aria-pressed={wanted === source} onClick={() => choose(wanted === source ? null : source)}>
                        {sources[source].label}
                    </button>
                ))}
            </div>
            {rows.length > shown.length && (
                <Button variant="subtle" size="compact-sm" mt={10} onClick={() => setEarlier(earlier + shownMax)}>
                    Show earlier ({rows.length - shown.length})
                </Button>
            )}
            <ol className={css.timeline} data-testid="timeline">
                {shown.map((entry) => <Entry key={entry.sequence} entry={entry} incident={incident.id} />)}
                {shown.length === 0 && <li className="dim">Nothing of this kind yet.</li>}
            </ol>
            <NoteBox id={incident.id} />
        </Panel>
    );
}

export function Entry({ entry, incident }: { entry: TimelineEntry; incident: string }) {
    const source = sources[entry.source];
    const late = Date.parse(entry.recorded_at) - Date.parse(entry.occurred_at);
    const evidence = entry.evidence ? evidenceLink(entry.evidence, incident) : null;
    const actor = entry.actor.replace(/^person:/, '');
    return (
        <li className={css.entry} data-source={entry.source}>
            <span className={`${css.mark} ${css[entry.source] ?? ''}`} title={source.label}>
                <source.icon size={14} stroke={1.75} aria-hidden />
            </span>
            <div>
                <p className={css.entryText}>
                    <span className="visually-hidden">{source.label}: </span>
                    {entry.text}
                </p>
                {entry.reason && <p className={css.reason}>Reason: {entry.reason}</p>}
                <p className={css.entryMeta}>
                    <At at={entry.occurred_at} />
                    {late > lateMs && (
                        <span title={`occurred ${utcTime(new Date(entry.occurred_at))}, recorded ${utcTime(new Date(entry.recorded_at))}`}>
                            recorded {duration(late)} later, at <At at={entry.recorded_at} />
                        </span>
                    )}
                    <span>{actor}</span>
                    {evidence && (evidence.to.startsWith('#')
                        ? <a href={evidence.to}>{evidence.label}</a>
                        : <Link to={evidence.to}>{evidence.label}</Link>)}
                </p>
            </div>
        </li>
    );
}

function NoteBox({ id }: { id: string }) {
    const change = useIncidentChange(id);
    const { withToken, ask } = useAccess();
    const [text, setText] = useState('');
    const send = (): void => {
        const note = text.trim();
        if (!note) return;
        withToken(() =>
            change.mutate({ do: 'note', text: note }, {
                onSuccess: () => setText(''),
                onError: (error) => {
                    if (error instanceof ApiError && error.status === 401) ask();
                },
            }),
        );
    };
    const submit = (event: FormEvent): void => {
        event.preventDefault();
        send();
    };
    const press = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            send();
        }
        if (event.key === 'Escape') event.currentTarget.blur();
    };
    return (
        <form className={css.note} onSubmit={submit}>
            <Textarea
                id="note"
                label="Note"
                placeholder="What you see, what you did, what you need"
                autosize
                minRows={2}
                maxRows={12}
                maxLength={10_000}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
                onKeyDown={press}
            />
            {change.error && <InlineError>{change.error.message}</InlineError>}
            <div className={css.noteFoot}>
                <Button type="submit" variant="default" loading={change.isPending} disabled={!text.trim()}>Add note</Button>
                <span className="dim" style={{ fontSize: 12 }}>Ctrl Enter sends</span>
            </div>
        </form>
    );
}
