// Short names for the contract's shapes. schema.ts is made from ../../../api/openapi.yaml by `npm run types`.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Now = Schemas['Now'];
export type IncidentSummary = Schemas['IncidentSummary'];
export type Incident = Schemas['Incident'];
export type IncidentState = Schemas['IncidentState'];
export type IncidentKind = Schemas['IncidentKind'];
export type FailureClass = Schemas['FailureClass'];
export type Severity = Schemas['Severity'];
export type SessionOutcome = Schemas['SessionOutcome'];
export type Anchors = Schemas['Anchors'];
export type Finding = Schemas['Finding'];
export type Owner = Schemas['Owner'];
export type TimelineEntry = Schemas['TimelineEntry'];
export type Trace = Schemas['Trace'];
export type TraceEvent = Schemas['TraceEvent'];
export type ClassBoard = Schemas['ClassBoard'];
export type SignalBoard = Schemas['SignalBoard'];
export type Agent = Schemas['Agent'];
export type Notice = Schemas['Notice'];
export type JournalEntry = Schemas['JournalPage']['entries'][number];
export type Setting = Schemas['SettingList']['settings'][number];
export type TokenInfo = Schemas['TokenInfo'];

export const failureClasses: readonly FailureClass[] = ['intent', 'tool', 'context', 'safety', 'cost'];
export const severities: readonly Severity[] = ['SEV1', 'SEV2', 'SEV3'];
export const kinds: readonly IncidentKind[] = ['real', 'drill', 'chaos', 'backfilled'];
export const outcomes: readonly SessionOutcome[] = ['succeeded', 'failed', 'abandoned', 'denied', 'unknown'];
