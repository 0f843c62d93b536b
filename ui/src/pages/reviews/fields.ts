// The fields of a review, in the order in which one writes them, and what was changed of them.
import type { ReviewFields } from '../../api/types';

export interface ReviewField {
    name: keyof ReviewFields;
    label: string;
    help: string;
    rows: number;
}

export const fieldsOfReview: readonly ReviewField[] = [
    { name: 'summary', label: 'Summary', help: 'What happened to whom, in three sentences.', rows: 3 },
    { name: 'impact', label: 'Impact', help: 'Who was hit, what was written, what it cost.', rows: 2 },
    { name: 'proximate_trigger', label: 'Proximate trigger', help: 'What set it off.', rows: 2 },
    { name: 'systemic_gap', label: 'Systemic gap', help: 'Why the system let it happen. It is not the trigger: it would have let another one through as well.', rows: 3 },
    { name: 'detection', label: 'Detection', help: 'How it was noticed, and how that could be earlier.', rows: 2 },
    { name: 'went_well', label: 'What went well', help: '', rows: 2 },
    { name: 'went_badly', label: 'What went badly', help: '', rows: 2 },
    { name: 'got_lucky', label: 'Where we were lucky', help: 'What would have made it worse.', rows: 2 },
    { name: 'lessons', label: 'Lessons', help: '', rows: 2 },
];

const missingTitles: Record<string, string> = {
    resolved: 'The end of the incident',
    actions: 'An action',
};

/** What publishing still needs, by its name in the API: "systemic_gap" is a systemic gap. */
export function missingTitle(what: string): string {
    const words = what.replaceAll('_', ' ');
    return missingTitles[what] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** What of `after` is not as in `before`; an emptied field is "". */
export function changedFields(before: ReviewFields, after: ReviewFields): ReviewFields {
    const changed: ReviewFields = {};
    for (const { name } of fieldsOfReview) {
        if ((before[name] ?? '') !== (after[name] ?? '')) changed[name] = after[name] ?? '';
    }
    return changed;
}
