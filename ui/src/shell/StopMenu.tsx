// The two things about containment that every page shows: what is in force, and how to stop.
import { Menu } from '@mantine/core';
import { IconAlertTriangle, IconHandStop, IconLock, IconLockOpen, IconRobot, IconTool, IconWorld } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';

import { useControls } from '../api/containment';
import { useAgents, useNow } from '../api/queries';
import { globalMode } from '../format/controls';
import css from './Shell.module.css';
import { useStop } from './stop';

const incidentsMax = 3;
const agentsMax = 8;

export function ModeChip() {
    const { data } = useControls();
    if (!data) return null;
    const { tone, label, title } = globalMode(data.controls);
    const Icon = tone === 'good' ? IconLockOpen : tone === 'warn' ? IconLock : IconAlertTriangle;
    return (
        <Link to="/containment" className={`${css.mode} ${css[`mode_${tone}`]}`} title={title} data-testid="mode">
            <Icon size={14} stroke={2} aria-hidden />
            <span>{label}</span>
        </Link>
    );
}

export function StopMenu() {
    const stop = useStop();
    const [opened, setOpened] = useState(false);
    const incidents = useNow().data?.incidents ?? [];
    const agents = useAgents(opened).data?.agents ?? [];
    const named = incidents.filter(({ agent, tool }) => agent ?? tool).slice(0, incidentsMax);
    const busiest = [...agents].sort((a, b) => b.sessions_last_hour - a.sessions_last_hour).slice(0, agentsMax);
    return (
        <Menu position="bottom-end" withinPortal opened={opened} onChange={setOpened} width={300}>
            <Menu.Target>
                <button type="button" className={css.stop}>
                    <IconHandStop size={16} stroke={2} aria-hidden /> Stop…
                </button>
            </Menu.Target>
            <Menu.Dropdown className={css.stopList}>
                {named.length > 0 && <Menu.Label>From open incidents</Menu.Label>}
                {named.map(({ id, title, tool, agent }) => (
                    <Menu.Item
                        key={id}
                        leftSection={tool ? <IconTool size={16} aria-hidden /> : <IconRobot size={16} aria-hidden />}
                        onClick={() => stop({ scope: tool ? `tool:${tool}` : `agent:${agent}`, reason: title, incident: id })}
                    >
                        {tool ? `Tool ${tool}` : `Agent ${agent}`} <span className="dim">{id}</span>
                    </Menu.Item>
                ))}
                {busiest.length > 0 && <Menu.Label>Agents, busiest first</Menu.Label>}
                {busiest.map(({ name }) => (
                    <Menu.Item key={name} leftSection={<IconRobot size={16} aria-hidden />} onClick={() => stop({ scope: `agent:${name}` })}>
                        {name}
                    </Menu.Item>
                ))}
                <Menu.Divider />
                <Menu.Item leftSection={<IconHandStop size={16} aria-hidden />} onClick={() => stop({ scope: '' })}>A tool, workflow, class…</Menu.Item>
                <Menu.Item color="stop" leftSection={<IconWorld size={16} aria-hidden />} onClick={() => stop({ scope: 'global' })}>Everything…</Menu.Item>
            </Menu.Dropdown>
        </Menu>
    );
}
