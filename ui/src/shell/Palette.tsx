// `/` or Ctrl-K: jump to an incident, agent, class, trace or page by typing, or do what one would do there.
import { Modal } from '@mantine/core';
import {
    IconArrowBackUp, IconBinaryTree, IconHandStop, IconListDetails, IconPlus, IconRobot, IconSearch, IconTrafficLights,
} from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import { useAgents, useIncidents } from '../api/queries';
import { useVersions } from '../api/releases';
import { failureClasses } from '../api/types';
import { familyTitle, linesOf } from '../format/releases';
import { classTitle, stateTitle } from '../format/words';
import { ClassIcon } from '../parts/chips';
import css from './Palette.module.css';
import { places } from './places';
import { type StopDraft, useStop } from './stop';

interface Option {
    group: string;
    label: string;
    note?: string;
    icon: ReactNode;
    /** Where it leads, or what it opens. */
    to: string | StopDraft;
}

const perGroupMax = 8;

function matches(words: string[], text: string): boolean {
    const lower = text.toLowerCase();
    return words.every((word) => lower.includes(word));
}

function useOptions(text: string): Option[] {
    const incidents = useIncidents({ state: 'all' }).data?.incidents;
    const agents = useAgents().data?.agents;
    const versions = useVersions().data?.versions;
    return useMemo(() => {
        const typed = text.trim();
        const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
        const found: Option[] = [];
        const add = (options: Option[]): void => {
            found.push(...options.filter((each) => matches(words, `${each.label} ${each.note ?? ''}`)).slice(0, perGroupMax));
        };
        const number = /^(?:inc-?)?(\d+)$/i.exec(typed)?.[1];
        const icon = <IconListDetails size={16} stroke={1.75} aria-hidden />;
        if (number && !incidents?.some((each) => each.id === `INC-${number}`)) {
            found.push({ group: 'Incidents', label: `Open INC-${number}`, icon, to: `/incidents/INC-${number}` });
        }
        add((incidents ?? []).map((each) => ({
            group: 'Incidents', label: `${each.id} ${each.title}`, note: `${each.severity} ${stateTitle[each.state]}`, icon,
            to: `/incidents/${each.id}`,
        })));
        add((agents ?? []).map((each) => ({
            group: 'Agents', label: each.name, note: each.owner.team ?? 'unowned',
            icon: <IconRobot size={16} stroke={1.75} aria-hidden />, to: `/agents?name=${encodeURIComponent(each.name)}`,
        })));
        add(places.filter(({ to }) => to !== '/classes').map(({ to, label, icon: Icon, key }) => ({
            group: 'Pages', label, note: `g ${key}`, icon: <Icon size={16} stroke={1.75} aria-hidden />, to,
        })));
        add(failureClasses.map((name) => ({
            group: 'Classes', label: classTitle[name], icon: <ClassIcon name={name} size={16} />, to: `/classes/${name}`,
        })));
        const stopIcon = <IconHandStop size={16} stroke={1.75} aria-hidden />;
        const stops = (agents ?? []).flatMap((agent): Option[] => [
            ...agent.tools.map((tool): Option => ({ group: 'Do', label: `Stop tool ${tool.name}`, note: agent.name, icon: stopIcon, to: { scope: `tool:${tool.name}` } })),
            { group: 'Do', label: `Contain agent ${agent.name}`, note: 'stop it', icon: stopIcon, to: { scope: `agent:${agent.name}` } },
        ]);
        const rollbacks = linesOf(versions ?? []).filter((line) => line.versions.length > 1).map((line): Option => ({
            group: 'Do', label: `Roll back ${familyTitle[line.family].toLowerCase()} ${line.name}`, icon: <IconArrowBackUp size={16} stroke={1.75} aria-hidden />,
            to: `/releases?family=${line.family}&name=${encodeURIComponent(line.name)}&rollback=1`,
        }));
        add([
            { group: 'Do', label: 'Stop something…', icon: stopIcon, to: { scope: '' } },
            { group: 'Do', label: 'Run the gate', icon: <IconTrafficLights size={16} stroke={1.75} aria-hidden />, to: '/gate' },
            { group: 'Do', label: 'Declare an incident', icon: <IconPlus size={16} aria-hidden />, to: '/incidents?declare=1' },
            // A tool of many agents is one verb.
            ...(words.length > 0 ? stops.filter((each, at) => stops.findIndex(({ label }) => label === each.label) === at) : []),
            ...(words.length > 0 ? rollbacks : []),
        ]);
        if (typed.length >= 4 && !number) {
            found.push({
                group: 'Traces', label: `Open the trace ${typed}`, icon: <IconBinaryTree size={16} stroke={1.75} aria-hidden />,
                to: `/traces?correlation=${encodeURIComponent(typed)}`,
            });
        }
        return found;
    }, [text, incidents, agents, versions]);
}

export default function Palette({ onClose }: { onClose: () => void }) {
    const [text, setText] = useState('');
    const [at, setAt] = useState(0);
    const options = useOptions(text);
    const navigate = useNavigate();
    const stop = useStop();
    const list = useRef<HTMLDivElement>(null);
    const id = useId();
    const chosen = Math.min(at, options.length - 1);

    useEffect(() => {
        list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
    }, [chosen]);

    const go = (option: Option | undefined): void => {
        if (!option) return;
        onClose();
        if (typeof option.to === 'string') void navigate(option.to);
        else stop(option.to);
    };
    const press = (event: KeyboardEvent): void => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step !== undefined && options.length > 0) {
            event.preventDefault();
            setAt((chosen + step + options.length) % options.length);
        } else if (event.key === 'Enter') {
            event.preventDefault();
            go(options[chosen]);
        }
    };
    return (
        <Modal opened onClose={onClose} withCloseButton={false} padding={0} size={600} yOffset="12vh" centered={false} aria-label="Jump to">
            <div className={css.box}>
                <div className={css.field}>
                    <IconSearch size={17} aria-hidden />
                    <input
                        data-autofocus
                        role="combobox"
                        aria-expanded={options.length > 0}
                        aria-controls={`${id}-list`}
                        aria-activedescendant={options.length > 0 ? `${id}-${chosen}` : undefined}
                        aria-label="Incident, agent, trace, page or what to do"
                        placeholder="Incident, agent, trace, page, or: stop tool…"
                        value={text}
                        onChange={(event) => {
                            setText(event.currentTarget.value);
                            setAt(0);
                        }}
                        onKeyDown={press}
                        autoComplete="off"
                        spellCheck={false}
                    />
                </div>
                {options.length === 0 && <p className={css.none}>Nothing of that name. A trace is opened by four letters of its id or more.</p>}
                <div className={css.list} role="listbox" id={`${id}-list`} aria-label="Places" ref={list}>
                    {options.map((option, index) => (
                        <div key={`${option.group} ${option.label}`} role="presentation">
                            {options[index - 1]?.group !== option.group && <div className={css.group} role="presentation">{option.group}</div>}
                            <div
                                className={css.option}
                                role="option"
                                id={`${id}-${index}`}
                                aria-selected={index === chosen}
                                onMouseMove={() => setAt(index)}
                                onClick={() => go(option)}
                            >
                                {option.icon}
                                <span className={css.label}>{option.label}</span>
                                {option.note && <span className={css.note}>{option.note}</span>}
                            </div>
                        </div>
                    ))}
                </div>
            </div>
        </Modal>
    );
}
