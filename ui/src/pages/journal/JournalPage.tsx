// The journal: every state change with who and why.
import { Button } from '@mantine/core';
import { useSearchParams } from 'react-router';

import { useJournal } from '../../api/queries';
import { Command, Empty, Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Table } from '../../parts/Table';
import { At } from '../../parts/When';

export default function JournalPage() {
    const [query, setQuery] = useSearchParams();
    const from = Math.max(1, Number(query.get('from') ?? 1) || 1);
    const { data, error, refetch } = useJournal(from);
    const go = (to: number): void => setQuery(to > 1 ? { from: String(to) } : {});
    return (
        <Page title="Journal" lead="Every state change, chained by hashes; nothing is ever altered.">
            <Panel flush>
                {error && !data ? (
                    <Failure error={error} what="the journal" retry={() => void refetch()} />
                ) : !data ? (
                    <Waiting what="the journal" />
                ) : data.entries.length === 0 ? (
                    <Empty title="Nothing has happened yet" />
                ) : (
                    <Table
                        label="Journal entries"
                        head={['Entry', 'Recorded', 'Kind', 'About', 'By', 'Why', 'Hash']}
                        rows={data.entries.map((entry) => ({
                            key: String(entry.sequence),
                            cells: [
                                entry.sequence, <At key="a" at={entry.recorded_at} />, entry.kind, entry.subject, entry.actor, entry.reason,
                                <code key="h">{entry.hash.slice(0, 12)}</code>,
                            ],
                        }))}
                    />
                )}
            </Panel>
            <div>
                <Button variant="default" disabled={from <= 1} onClick={() => go(Math.max(1, from - 100))}>Earlier</Button>{' '}
                <Button variant="default" disabled={!data?.next} onClick={() => go(data?.next ?? from)}>Later</Button>
            </div>
            <Panel title="Prove that nothing was altered">
                <Command text="tagout journal verify" />
            </Panel>
        </Page>
    );
}
