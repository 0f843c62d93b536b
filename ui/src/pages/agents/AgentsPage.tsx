// Agents with their owners and tools, configured or discovered from telemetry.
import { IconRobot } from '@tabler/icons-react';

import { useAgents } from '../../api/queries';
import type { Agent } from '../../api/types';
import { count } from '../../format/number';
import { OwnerName } from '../../parts/chips';
import { Command, Empty, Failure, Page, Panel, partsCss, Waiting } from '../../parts/layout';
import { Table, tableCss } from '../../parts/Table';
import { Ago } from '../../parts/When';

function Tools({ agent }: { agent: Agent }) {
    return (
        <span className={tableCss.chips}>
            {agent.tools.map((tool) => (
                <span
                    key={tool.name}
                    className={`${partsCss.chip} ${tool.risk === 'high' ? partsCss.hot : ''}`}
                    title={tool.configured ? 'as tagout.yaml says' : 'inferred from its name'}
                >
                    {tool.name} · {tool.effect}{tool.risk === 'high' ? ' · high risk' : ''}
                </span>
            ))}
        </span>
    );
}

/** Calls that no gateway saw: what a stop does not reach. */
function Unseen({ agent }: { agent: Agent }) {
    if (agent.unseen_last_hour === 0) {
        return <>{agent.calls_last_hour === 0 ? '' : 'none'}</>;
    }
    const share = Math.max(1, Math.round((100 * agent.unseen_last_hour) / agent.calls_last_hour));
    return (
        <span
            className={`${partsCss.chip} ${partsCss.hot}`}
            title={agent.unseen_tools
                .map((tool) => `${tool.name}: ${count(tool.unseen)} of ${count(tool.calls)}`)
                .join('\n')}
        >
            {share} %, {count(agent.unseen_last_hour)} of {count(agent.calls_last_hour)}
        </span>
    );
}

export default function AgentsPage() {
    const { data, error, refetch } = useAgents();
    return (
        <Page title="Agents" lead="From tagout.yaml and from telemetry; what nobody owns is said so.">
            <Panel flush>
                {error && !data ? (
                    <Failure error={error} what="the agents" retry={() => void refetch()} />
                ) : !data ? (
                    <Waiting what="the agents" />
                ) : data.agents.length === 0 ? (
                    <Empty icon={<IconRobot size={30} stroke={1.5} aria-hidden />} title="No agent has been seen yet">
                        <p>Point an agent's OpenTelemetry exporter here and it appears.</p>
                        <Command text="export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318" />
                    </Empty>
                ) : (
                    <Table
                        label="Agents"
                        head={['Agent', 'Owner', 'Workflows', 'Sessions / h', 'Past gateways', 'Tools', 'Last seen']}
                        rows={data.agents.map((agent) => ({
                            key: agent.name,
                            cells: [
                                <strong key="n">{agent.name}</strong>,
                                <span key="o" className={tableCss.words}><OwnerName owner={agent.owner} /></span>,
                                <span key="w" className={tableCss.words}>{agent.workflows.join(', ')}</span>,
                                `${count(agent.sessions_last_hour)}, ${count(agent.failed_last_hour)} failed`,
                                <Unseen key="u" agent={agent} />,
                                <Tools key="t" agent={agent} />,
                                <Ago key="s" at={agent.last_seen_at} />,
                            ],
                        }))}
                    />
                )}
            </Panel>
        </Page>
    );
}
