// Where evidence leads.
import type { Finding } from '../../api/types';

export function traceLink(finding: Pick<Finding, 'correlation' | 'trace_id' | 'span_id'>, incident?: string): string {
    const query = new URLSearchParams({ correlation: finding.correlation || (finding.trace_id ?? '') });
    if (finding.span_id) query.set('step', finding.span_id);
    if (incident) query.set('incident', incident);
    return `/traces?${query.toString()}`;
}

/** A timeline entry's evidence: "finding:ID" is on the page, "trace:ID" is a trace, "control:ID" a control. */
export function evidenceLink(evidence: string, incident: string): { to: string; label: string } | null {
    const colon = evidence.indexOf(':');
    const id = evidence.slice(colon + 1);
    if (colon < 0 || !id) return null;
    switch (evidence.slice(0, colon)) {
        case 'control': return { to: `/containment/${encodeURIComponent(id)}`, label: id };
        case 'finding': return { to: `#${encodeURIComponent(id)}`, label: 'evidence' };
        case 'trace': return { to: traceLink({ correlation: id }, incident), label: 'trace' };
        default: return null;
    }
}
