// Small labelled marks. A colour never stands alone: each has its word, and most an icon.
import {
    IconAlertTriangle, IconBroadcast, IconCoin, IconFlask, IconHistory, IconMap, IconPlayerPause, IconRoute,
    IconShieldExclamation, IconTool, IconUser, IconUserQuestion,
} from '@tabler/icons-react';

import type { FailureClass, IncidentKind, IncidentState, IncidentSummary, Owner, Severity } from '../api/types';
import { classTitle, isStillGoingOn, stateTitle } from '../format/words';
import css from './parts.module.css';
import { useNowMs } from './ticking';
import { Ago } from './When';

const classIcons = {
    intent: IconRoute,
    tool: IconTool,
    context: IconMap,
    safety: IconShieldExclamation,
    cost: IconCoin,
} as const;

export function ClassIcon({ name, size = 14 }: { name: FailureClass; size?: number }) {
    const Icon = classIcons[name];
    return <Icon size={size} stroke={1.75} aria-hidden />;
}

export function SeverityChip({ severity }: { severity: Severity }) {
    return <span className={`${css.sev} ${css[severity]}`}>{severity}</span>;
}

export function ClassChip({ name }: { name: FailureClass }) {
    return (
        <span className={css.chip}>
            <ClassIcon name={name} size={13} />
            {classTitle[name]}
        </span>
    );
}

export function StateChip({ state }: { state: IncidentState }) {
    const ended = ['resolved', 'review', 'closed'].includes(state);
    return <span className={`${css.chip} ${ended ? css.good : ''}`}>{stateTitle[state]}</span>;
}

/** Drills, chaos runs and back-filled incidents are marked; real ones need no word. */
export function KindChip({ kind }: { kind: IncidentKind }) {
    if (kind === 'real') return null;
    const Icon = kind === 'backfilled' ? IconHistory : IconFlask;
    return (
        <span className={css.chip}>
            <Icon size={13} stroke={1.75} aria-hidden />
            {kind.charAt(0).toUpperCase() + kind.slice(1)}
        </span>
    );
}

/** "Still going on", or since when nothing new came. */
export function GoingOn({ incident }: { incident: IncidentSummary }) {
    const now = useNowMs();
    if (isStillGoingOn(incident, now)) {
        return (
            <span className={`${css.chip} ${css.hot}`}>
                <span className={css.pulse} aria-hidden />
                Still going on
            </span>
        );
    }
    return (
        <span className={css.chip}>
            <IconPlayerPause size={12} aria-hidden />
            <span>Last finding <Ago at={incident.last_finding_at} /></span>
        </span>
    );
}

export function OwnerName({ owner, icon = true }: { owner: Owner; icon?: boolean }) {
    const said = [owner.contact && `contact ${owner.contact}`, owner.channel && `channel ${owner.channel}`, owner.rule && `rule ${owner.rule}`]
        .filter(Boolean)
        .join(', ');
    if (!owner.team) {
        return (
            <span className={`${css.owner} ${css.unowned}`} title="No rule of the ownership map in tagout.yaml matches">
                {icon && <IconUserQuestion size={14} stroke={1.75} aria-hidden />}
                Unowned
            </span>
        );
    }
    return (
        <span className={css.owner} title={said || undefined}>
            {icon && <IconUser size={14} stroke={1.75} aria-hidden />}
            {owner.team}
        </span>
    );
}

export function LiveMark() {
    return <IconBroadcast size={14} aria-hidden />;
}

export function WarningMark() {
    return <IconAlertTriangle size={14} aria-hidden />;
}
