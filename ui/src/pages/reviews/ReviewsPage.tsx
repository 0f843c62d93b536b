// Reviews, those that are still to be written, and the corrective actions until they are closed.
import { Button, SegmentedControl } from '@mantine/core';
import { IconClipboardCheck } from '@tabler/icons-react';
import { Link, useSearchParams } from 'react-router';

import { type ActionState, useActions, useReviews } from '../../api/prevent';
import { useIncidents } from '../../api/queries';
import { who } from '../../format/controls';
import { Empty, Failure, Page, Panel, partsCss, Waiting } from '../../parts/layout';
import { SeverityChip } from '../../parts/chips';
import { Ago } from '../../parts/When';
import { ActionRows, AddAction } from './CorrectiveActions';
import css from './reviews.module.css';

const states: { value: ActionState; label: string }[] = [
    { value: 'open', label: 'Open' }, { value: 'overdue', label: 'Overdue' }, { value: 'closed', label: 'Closed' }, { value: 'all', label: 'All' },
];

export default function ReviewsPage() {
    return (
        <Page title="Reviews" lead="What was learned, and what is still to be done about it.">
            <Actions />
            <Reviews />
        </Page>
    );
}

function Actions() {
    const [query, setQuery] = useSearchParams();
    const state = states.find(({ value }) => value === query.get('actions'))?.value ?? 'open';
    const { data, error, refetch } = useActions(state);
    const incidents = useIncidents({ state: 'all' }).data?.incidents ?? [];
    const overdue = data?.actions.filter((action) => action.overdue).length ?? 0;
    return (
        <Panel title="Corrective actions" aside={overdue > 0 ? <strong className={css.bad}>{overdue} overdue</strong> : undefined} flush>
            <div className={css.tools}>
                <SegmentedControl aria-label="Which actions" value={state} data={states} onChange={(value) => setQuery({ actions: value }, { replace: true })} />
                <AddAction among={incidents} />
            </div>
            {error && !data ? <Failure error={error} what="the actions" retry={() => void refetch()} /> : !data ? <Waiting what="the actions" /> : data.actions.length > 0 ? (
                <ActionRows actions={data.actions} withIncident />
            ) : (
                <Empty icon={<IconClipboardCheck size={30} stroke={1.5} aria-hidden />} title={state === 'all' ? 'No action yet' : `No action is ${state}`} />
            )}
        </Panel>
    );
}

function Reviews() {
    const { data, error, refetch } = useReviews();
    const ended = useIncidents({ state: 'resolved,review' }).data?.incidents ?? [];
    const begun = new Set(data?.reviews.map(({ incident }) => incident));
    const waiting = ended.filter(({ id }) => !begun.has(id));
    if (error && !data) return <Panel title="Reviews"><Failure error={error} what="the reviews" retry={() => void refetch()} /></Panel>;
    if (!data) return <Panel title="Reviews"><Waiting what="the reviews" /></Panel>;
    return (
        <Panel title="Reviews" flush>
            {data.reviews.length + waiting.length === 0 && (
                <Empty icon={<IconClipboardCheck size={30} stroke={1.5} aria-hidden />} title="No review yet">
                    <p>When an incident is resolved its review is written here.</p>
                </Empty>
            )}
            <ul className={css.reviewRows} data-testid="reviews">
                {waiting.map(({ id, title, severity }) => (
                    <li key={id}>
                        <p className={css.rowHead}><SeverityChip severity={severity} /><span className={`${partsCss.chip} ${partsCss.hot}`}>Not begun</span> <strong>{title}</strong> <span className="dim">{id}</span></p>
                        <Button component={Link} to={`/reviews/${id}`} variant="default" size="compact-md">Write the review</Button>
                    </li>
                ))}
                {data.reviews.map((review) => (
                    <li key={review.incident}>
                        <p className={css.rowHead}>
                            <SeverityChip severity={review.severity} />
                            <span className={`${partsCss.chip} ${review.state === 'published' ? partsCss.good : ''}`}>{review.state === 'published' ? 'Published' : 'Draft'}</span>
                            <Link to={`/reviews/${review.incident}`}><strong>{review.title}</strong></Link> <span className="dim">{review.incident}</span>
                        </p>
                        <p className="dim">
                            {review.state === 'published' ? <>by {who(review.published_by)}, <Ago at={review.published_at} /></> : <>begun by {who(review.drafted_by)}, <Ago at={review.drafted_at} /></>}
                        </p>
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
