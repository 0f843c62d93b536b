// Words for containment: what a scope is, what a mode does, whether a stop bit, and what it hits.
import type { Agent, Control, ControlMode } from '../api/types';
import { plural } from './number';
import { stepTime } from './time';

export const modes: readonly ControlMode[] = ['stopped', 'read_only', 'approvals', 'allowlist', 'throttle', 'budget', 'redact', 'route', 'pin', 'observe'];

export const modeTitle: Record<ControlMode, string> = {
    observe: 'Observe',
    read_only: 'Read only',
    approvals: 'Approvals',
    allowlist: 'Allowlist',
    stopped: 'Stopped',
    route: 'Rerouted',
    throttle: 'Throttled',
    redact: 'Redacted',
    budget: 'Budget',
    pin: 'Pinned',
};

export const modeMeaning: Record<ControlMode, string> = {
    observe: 'Every call passes; what would have been refused is recorded.',
    read_only: 'Reads pass. Writes and anything that leaves are refused.',
    approvals: 'Reads pass. Writes wait for a person.',
    allowlist: 'Only the tools you list pass.',
    stopped: 'Every call is refused, calls in flight are cancelled, tools leave the list.',
    route: 'Requests go to another workflow, model calls to another model.',
    throttle: 'So many calls pass in a period; the others are told when to come back.',
    budget: 'Calls pass until so many tokens or dollars are spent at models; then they are refused.',
    pin: 'Who asks for a prompt or model route is given the version that you name.',
    redact: 'Calls pass without what you name: addresses, numbers, secrets.',
};

export const scopeKinds = [
    { value: 'tool', label: 'Tool' },
    { value: 'agent', label: 'Agent' },
    { value: 'workflow', label: 'Workflow' },
    { value: 'tool_class', label: 'Tool class' },
    { value: 'mcp_server', label: 'MCP server' },
    { value: 'session', label: 'Session' },
    { value: 'model', label: 'Model' },
    { value: 'user', label: 'User' },
    { value: 'tenant', label: 'Tenant' },
    { value: 'environment', label: 'Environment' },
    { value: 'prompt_version', label: 'Prompt version' },
    { value: 'global', label: 'Everything' },
] as const;
export const toolClasses = ['read', 'write', 'egress', 'high_risk'] as const;

export function scopeParts(scope: string): { kind: string; name: string } {
    const colon = scope.indexOf(':');
    return colon < 0 ? { kind: scope, name: '' } : { kind: scope.slice(0, colon), name: scope.slice(colon + 1) };
}

/** "tool:payments.refund" -> "tool payments.refund"; "global" -> "everything". */
export function scopeText(scope: string): string {
    const { kind, name } = scopeParts(scope);
    if (kind === 'global') return 'everything';
    if (kind === 'tool_class') return `all ${name.replaceAll('_', ' ')} tools`;
    return `${kind === 'mcp_server' ? 'MCP server' : kind.replaceAll('_', ' ')} ${name}`;
}

/** What the button says: "Stop tool payments.refund". */
export function controlVerb(mode: ControlMode, scope: string, routeTo?: string): string {
    const what = scopeText(scope);
    switch (mode) {
        case 'stopped': return `Stop ${what}`;
        case 'read_only': return `Make ${what} read only`;
        case 'approvals': return `Ask a person before ${what} writes`;
        case 'allowlist': return `Allow ${what} listed tools only`;
        case 'route': return `Route ${what} to ${routeTo ?? 'a fallback'}`;
        case 'throttle': return `Throttle ${what}`;
        case 'redact': return `Redact ${what}`;
        case 'pin': return `Pin versions for ${what}`;
        case 'budget': return `Hold ${what} to a budget`;
        case 'observe': return `Watch ${what}`;
    }
}

/** Nothing is refused by a control that observes. */
export const enforces = (control: Pick<Control, 'mode' | 'state'>): boolean => control.mode !== 'observe' && control.state !== 'released';

export type Tone = 'good' | 'moving' | 'bad' | 'quiet';

/** What a probe met that proves the control. */
function probed(mode: ControlMode): string {
    switch (mode) {
        case 'redact': return 'came through redacted';
        case 'route': return 'was sent elsewhere';
        default: return 'was refused';
    }
}

/** Where the proof stands, in one sentence; bad when somebody must look. */
export function proofOf(control: Control): { tone: Tone; label: string; sentence: string } {
    const { reached, of, away } = control.acknowledged;
    const points = `${reached}/${of}`;
    const took = control.time_to_effect_ms === undefined ? '' : ` in ${stepTime(control.time_to_effect_ms)}`;
    const everywhere = of === 1 ? 'the enforcement point' : `all ${of} enforcement points`;
    const failing = control.points.find(({ error, connected }) => error && connected) ?? control.points.find(({ error }) => error);
    const missing = away === 0 ? '' : ` ${away === 1 ? `1 of ${of} points is` : `${away} of ${of} points are`} not connected: what ${away === 1 ? 'it lets' : 'they let'} pass is not known.`;
    switch (control.state) {
        case 'released':
            return { tone: 'quiet', label: 'Released', sentence: 'It is not in force any more.' };
        case 'requested':
            if (failing) return { tone: 'bad', label: `Acknowledged ${points}`, sentence: `${failing.point} did not acknowledge: ${failing.error}` };
            return of === 0
                ? { tone: 'bad', label: 'No enforcement point', sentence: 'No gateway is connected, so nothing enforces it. Calls pass.' }
                : { tone: 'moving', label: `Acknowledged ${points}`, sentence: 'Requested. Waiting for the enforcement points.' };
        case 'acknowledged':
            if (away > 0) return { tone: 'bad', label: `Acknowledged ${points}`, sentence: `In force at every connected point${took}.${missing}` };
            if (control.mode === 'pin') return { tone: 'good', label: `In force, ${points}`, sentence: `In force at every point${took}. It refuses nothing, so no probe is sent.` };
            if (control.mode === 'throttle' || control.mode === 'budget') {
                return { tone: 'good', label: `In force, ${points}`, sentence: `In force at every point${took}. No probe is one call too many: the calls that it refuses are its proof.` };
            }
            return { tone: 'moving', label: `Acknowledged ${points}`, sentence: `In force at every point${took}. A probe is on its way to prove it.` };
        case 'unproved':
            return {
                tone: 'bad', label: `Not proved, ${points}`,
                sentence: failing ? `${failing.point}: ${failing.error}` : 'A probe got through or could not be sent. Do not trust this stop: look at its points.',
            };
        case 'proved':
            if (away > 0) return { tone: 'bad', label: `Proved, ${control.proved.reached}/${of}`, sentence: `In force${took} and proved at every connected point.${missing}` };
            return control.mode === 'observe'
                ? { tone: 'good', label: `Watching, ${points}`, sentence: `It observes at ${everywhere}; nothing is refused.` }
                : { tone: 'good', label: `Proved, ${points}`, sentence: `In force${took}, and a probe ${probed(control.mode)} at ${everywhere}.` };
    }
}

/** The chip of the top bar. */
export function globalMode(controls: readonly Control[]): { tone: 'good' | 'warn' | 'bad'; label: string; title: string } {
    const inForce = controls.filter(enforces);
    const unproved = inForce.filter((control) => proofOf(control).tone === 'bad').length;
    const everything = inForce.find(({ scope, mode }) => scope === 'global' && mode === 'stopped');
    if (everything) return { tone: 'bad', label: 'All stopped', title: `${everything.id} stops every call: ${everything.reason}` };
    if (inForce.length === 0) return { tone: 'good', label: 'No controls', title: 'Nothing is stopped or restricted' };
    const label = plural(inForce.length, 'control');
    if (unproved > 0) return { tone: 'bad', label: `${unproved} unproved`, title: `Of ${label} in force ${unproved} are not proved: see Containment` };
    return { tone: 'warn', label, title: `In force: ${inForce.map(({ mode, scope }) => `${modeTitle[mode].toLowerCase()} ${scopeText(scope)}`).join('; ')}` };
}

function globMatcher(pattern: string): (text: string) => boolean {
    const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
    const whole = new RegExp(`^${escaped}$`);
    return (text) => whole.test(text);
}

export interface Hits {
    agents: string[];
    tools: string[];
    sessionsLastHour: number;
    failedLastHour: number;
}

/** Which known agents and tools a scope is about; nothing where telemetry cannot tell (a session, a user, ...). */
export function hitsOf(scope: string, agents: readonly Agent[]): Hits | null {
    const { kind, name } = scopeParts(scope);
    const fits = globMatcher(name);
    const toolFits = (tool: Agent['tools'][number]): boolean => {
        if (kind === 'tool') return fits(tool.name);
        if (kind === 'tool_class') return name === 'high_risk' ? tool.risk === 'high' : tool.effect === name || (name === 'write' && tool.effect === 'unknown');
        return true;
    };
    const agentFits = (agent: Agent): boolean => {
        switch (kind) {
            case 'global': return true;
            case 'agent': return fits(agent.name);
            case 'workflow': return agent.workflows.some(fits);
            case 'model': return (agent.models ?? []).some(fits);
            case 'tool':
            case 'tool_class': return agent.tools.some(toolFits);
            default: return false;
        }
    };
    if (!['global', 'agent', 'workflow', 'model', 'tool', 'tool_class'].includes(kind)) return null;
    const hit = agents.filter(agentFits);
    return {
        agents: hit.map((agent) => agent.name),
        tools: [...new Set(hit.flatMap((agent) => agent.tools.filter(toolFits).map((tool) => tool.name)))],
        sessionsLastHour: hit.reduce((sum, agent) => sum + agent.sessions_last_hour, 0),
        failedLastHour: hit.reduce((sum, agent) => sum + agent.failed_last_hour, 0),
    };
}

/** "person:ana" -> "ana"; the program stays as it calls itself. */
export const who = (actor: string | undefined): string => (actor ?? '').replace(/^person:/, '');

/** As it stands within a sentence; names keep their letters. */
export const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Who passes a control while it is lifted in stages. */
export function stageText(control: Pick<Control, 'stage' | 'stage_tenant' | 'stage_share'>): string {
    const parts = [control.stage_tenant && `tenant ${control.stage_tenant}`, control.stage_share && `${control.stage_share} % of the sessions`].filter(Boolean);
    return parts.length === 0 ? 'Journeys alone pass; a second person opens it further once they passed.' : `Journeys, ${parts.join(' and ')} pass; everybody else is refused.`;
}
