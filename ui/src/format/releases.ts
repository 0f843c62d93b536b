// Versions grouped as people think of them, what is frozen, and a diff's lines side by side.
import type { Freeze, Version, VersionDiff, VersionFamily } from '../api/types';

export const families: readonly VersionFamily[] = ['prompt', 'policy', 'model_route', 'profile'];
export const familyTitle: Record<VersionFamily | 'bundle', string> = { prompt: 'Prompt', policy: 'Policy', model_route: 'Model route', profile: 'Profile', bundle: 'Bundle' };

export interface VersionLine {
    family: VersionFamily;
    name: string;
    agent: string | undefined;
    workflow: string | undefined;
    /** Newest first. */
    versions: Version[];
    production: Version | undefined;
}

/** One line for each family and name, in the order of families, then by name. */
export function linesOf(versions: readonly Version[]): VersionLine[] {
    const lines = new Map<string, VersionLine>();
    for (const version of versions) {
        const key = `${version.family} ${version.name}`;
        const line = lines.get(key) ?? { family: version.family, name: version.name, agent: undefined, workflow: undefined, versions: [], production: undefined };
        line.versions.push(version);
        line.agent ??= version.agent;
        line.workflow ??= version.workflow;
        if (version.labels.includes('production')) line.production = version;
        lines.set(key, line);
    }
    for (const line of lines.values()) line.versions.sort((a, b) => b.number - a.number);
    return [...lines.values()].sort((a, b) => families.indexOf(a.family) - families.indexOf(b.family) || a.name.localeCompare(b.name));
}

/** The freeze that a change of this meets. What names neither agent nor workflow is frozen by any. */
export function freezeOf(subject: { agent?: string | undefined; workflow?: string | undefined }, freezes: readonly Freeze[]): Freeze | undefined {
    return freezes.find((freeze) => {
        if (!freeze.agent && !freeze.workflow) return true;
        if (!subject.agent && !subject.workflow) return true;
        return (freeze.agent !== undefined && freeze.agent === subject.agent) || (freeze.workflow !== undefined && freeze.workflow === subject.workflow);
    });
}

type Line = VersionDiff['lines'][number];

export interface Row {
    before: Line | undefined;
    after: Line | undefined;
    gap?: boolean;
}

/** Removed lines beside the added ones that took their place. */
export function sideBySide(lines: readonly Line[]): Row[] {
    const rows: Row[] = [];
    let removed: Line[] = [];
    let added: Line[] = [];
    const flush = (): void => {
        for (let i = 0; i < Math.max(removed.length, added.length); ++i) rows.push({ before: removed[i], after: added[i] });
        removed = [];
        added = [];
    };
    for (const line of lines) {
        if (line.kind === 'removed') {
            if (added.length > 0) flush();
            removed.push(line);
        } else if (line.kind === 'added') added.push(line);
        else {
            flush();
            rows.push({ before: line, after: line, ...(line.kind === 'gap' ? { gap: true } : {}) });
        }
    }
    flush();
    return rows;
}
