// The incident list; its filter lives in the address.
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { IconPlus, IconSearch, IconShieldCheck } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';

import { useIncidents } from '../../api/queries';
import { failureClasses, kinds, severities } from '../../api/types';
import { classTitle } from '../../format/words';
import { Empty, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { useAccess } from '../../shell/access';
import { DeclareDialog } from './DeclareDialog';
import { filterOf, stateChoices, withPart } from './filter';
import { IncidentRows } from './IncidentRows';
import css from './incidents.module.css';

const typingPauseMs = 250;

export default function IncidentsPage() {
    const [query, setQuery] = useSearchParams();
    const { data, error, refetch } = useIncidents(filterOf(query));
    const { withToken } = useAccess();
    const filtered = ['state', 'class', 'severity', 'kind', 'text'].some((name) => query.get(name));
    const set = (name: string, value: string): void => setQuery((before) => withPart(before, name, value), { replace: true });
    const declaring = query.get('declare') === '1';
    return (
        <Page
            title="Incidents"
            lead={data ? `${data.total} ${filtered ? 'that fit' : 'listed'}, newest first` : undefined}
            actions={
                <Button leftSection={<IconPlus size={16} aria-hidden />} variant="default" onClick={() => withToken(() => set('declare', '1'))}>
                    Declare an incident
                </Button>
            }
        >
            <Panel flush>
                <Filters query={query} set={set} clear={filtered ? () => setQuery({}, { replace: true }) : undefined} />
                {error && !data ? (
                    <Failure error={error} what="the incidents" retry={() => void refetch()} />
                ) : !data ? (
                    <Waiting what="the incidents" />
                ) : data.incidents.length > 0 ? (
                    <IncidentRows incidents={data.incidents} />
                ) : (
                    <Empty icon={<IconShieldCheck size={30} stroke={1.5} aria-hidden />} title={filtered ? 'No incident fits' : 'No incident yet'}>
                        {filtered ? (
                            <>
                                <p>Loosen the filter, or look at all of them.</p>
                                <Button variant="default" onClick={() => setQuery({ state: 'all' }, { replace: true })}>Show all</Button>
                            </>
                        ) : (
                            <p>One opens when sessions fail and a signal explains why. You can also declare one by hand.</p>
                        )}
                    </Empty>
                )}
            </Panel>
            {declaring && <DeclareDialog onClose={() => set('declare', '')} />}
        </Page>
    );
}

function Filters({ query, set, clear }: { query: URLSearchParams; set: (name: string, value: string) => void; clear: (() => void) | undefined }) {
    const asked = query.get('text') ?? '';
    const [text, setText] = useState(asked);
    useEffect(() => setText(asked), [asked]);
    useEffect(() => {
        if (text === asked) return;
        const timer = window.setTimeout(() => set('text', text), typingPauseMs);
        return () => window.clearTimeout(timer);
    });
    const select = (name: string, label: string, choices: { value: string; label: string }[]) => (
        <NativeSelect label={label} value={query.get(name) ?? ''} data={choices} onChange={(event) => set(name, event.currentTarget.value)} />
    );
    return (
        <div className={css.filters} role="search" aria-label="Filter incidents">
            <TextInput
                className={css.text}
                label="Text"
                placeholder="Title, agent, tool or owner"
                leftSection={<IconSearch size={15} aria-hidden />}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
                maxLength={200}
            />
            {select('state', 'State', stateChoices.map(({ value, label }) => ({ value, label })))}
            {select('class', 'Class', [{ value: '', label: 'Any' }, ...failureClasses.map((value) => ({ value, label: classTitle[value] }))])}
            {select('severity', 'Severity', [{ value: '', label: 'Any' }, ...severities.map((value) => ({ value, label: value }))])}
            {select('kind', 'Kind', [{ value: '', label: 'Any' }, ...kinds.map((value) => ({ value, label: value.charAt(0).toUpperCase() + value.slice(1) }))])}
            {clear && <Button variant="subtle" onClick={clear}>Clear</Button>}
        </div>
    );
}
