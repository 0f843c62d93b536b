// The delivery log, and a test notice.
import { Button, TextInput } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useNotices, useTestNotice } from '../../api/queries';
import { Empty, Failure, InlineError, Page, Panel, partsCss, Waiting } from '../../parts/layout';
import { Table } from '../../parts/Table';
import { Ago } from '../../parts/When';
import { useAccess } from '../../shell/access';

function TestForm() {
    const [channel, setChannel] = useState('');
    const { withToken } = useAccess();
    const test = useTestNotice();
    return (
        <form
            className={partsCss.pageActions}
            onSubmit={(event) => {
                event.preventDefault();
                withToken(() => test.mutate(channel));
            }}
        >
            <TextInput aria-label="Channel to test" placeholder="Channel of tagout.yaml" value={channel} onChange={(event) => setChannel(event.currentTarget.value)} />
            <Button type="submit" variant="default" loading={test.isPending} disabled={!channel.trim()}>Send a test</Button>
            {test.data && <span role="status">{test.data.channel}: {test.data.state}{test.data.last_error ? `: ${test.data.last_error}` : ''}</span>}
            {test.error && <InlineError>{test.error.message}</InlineError>}
        </form>
    );
}

export default function NoticesPage() {
    const { data, error, refetch } = useNotices('');
    return (
        <Page title="Notices" lead="What was sent to people, newest first." actions={<TestForm />}>
            <Panel flush>
                {error && !data ? (
                    <Failure error={error} what="the delivery log" retry={() => void refetch()} />
                ) : !data ? (
                    <Waiting what="the delivery log" />
                ) : data.notices.length === 0 ? (
                    <Empty icon={<IconBell size={30} stroke={1.5} aria-hidden />} title="Nothing was sent yet">
                        <p>Channels are named under <code>notices</code> in tagout.yaml: webhook, Slack, PagerDuty, Alertmanager.</p>
                    </Empty>
                ) : (
                    <Table
                        label="Notices"
                        head={['When', 'Incident', 'Event', 'Channel', 'State', 'Attempts', 'Last error']}
                        rows={data.notices.map((notice) => ({
                            key: notice.id,
                            cells: [
                                <Ago key="w" at={notice.created_at} />,
                                notice.incident ? <Link key="i" to={`/incidents/${notice.incident}`}>{notice.incident}</Link> : 'test',
                                notice.event,
                                `${notice.channel} (${notice.type})`,
                                <span key="s" className={`${partsCss.chip} ${notice.state === 'failed' ? partsCss.hot : notice.state === 'delivered' ? partsCss.good : ''}`}>{notice.state}</span>,
                                notice.attempts,
                                notice.last_error ?? '',
                            ],
                        }))}
                    />
                )}
            </Panel>
        </Page>
    );
}
