// The review of one incident: what is missing is listed before publishing, the facts stand beside the text.
import { Button, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';

import { ApiError } from '../../api/client';
import { useReview, useReviewChange } from '../../api/prevent';
import type { Review, ReviewFields } from '../../api/types';
import { handOver } from '../../api/verify';
import { who } from '../../format/controls';
import { SeverityChip } from '../../parts/chips';
import { ChangeDialog } from '../../parts/ChangeDialog';
import { Failure, InlineError, Page, Panel, partsCss, Waiting } from '../../parts/layout';
import { Ago, At, Since } from '../../parts/When';
import { AccessNote, useAccess } from '../../shell/access';
import incidentCss from '../incident/incident.module.css';
import { ImpactStats } from '../incident/ImpactStats';
import { anchorLabels, intervalsOf } from '../incident/steps';
import { Entry } from '../incident/Timeline';
import { ActionRows, AddAction } from './CorrectiveActions';
import { changedFields, fieldsOfReview, missingTitle } from './fields';
import css from './reviews.module.css';

export default function ReviewPage() {
    const { id = '' } = useParams();
    const { data: review, error, refetch } = useReview(id);
    if (!review) {
        return (
            <Page title={`Review of ${id}`} bare>
                {error ? <Failure error={error} what={`review of ${id}`} retry={() => void refetch()} /> : <Waiting what="the review" />}
            </Page>
        );
    }
    return (
        <Page
            title={`Review of ${id}`}
            lead={<><SeverityChip severity={review.severity} /> <Link to={`/incidents/${id}`}>{review.title}</Link></>}
            actions={
                <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => handOver(new Blob([review.markdown], { type: 'text/markdown' }), `review-${id}.md`)}>
                    Markdown
                </Button>
            }
        >
            <div className={css.columns}>
                <div className={css.column}>
                    <Standing review={review} />
                    <Editor key={review.state === 'published' ? 'published' : 'draft'} review={review} />
                    <Panel title="Corrective actions" aside={review.state === 'published' ? undefined : 'at least one, with owner and due date'} flush>
                        {review.actions.length > 0 ? <ActionRows actions={review.actions} /> : <p className={css.none}>None yet. What will keep this from happening again?</p>}
                        <div className={css.tools} id="actions"><AddAction incident={id} /></div>
                    </Panel>
                </div>
                <div className={css.column}>
                    <Facts review={review} />
                    <Panel title="Timeline" aside={<Link to={`/incidents/${id}`}>on the incident</Link>}>
                        <ol className={`${incidentCss.timeline} ${css.timeline}`} id="timeline">
                            {review.timeline.map((entry) => <Entry key={entry.sequence} entry={entry} incident={id} />)}
                        </ol>
                    </Panel>
                </div>
            </div>
        </Page>
    );
}

const leads: Record<string, string | undefined> = { proximate_trigger: '#proximate_trigger', systemic_gap: '#systemic_gap', actions: '#actions' };

function Standing({ review }: { review: Review }) {
    if (review.state === 'published') {
        return (
            <p className={css.published}>
                <IconCheck size={18} aria-hidden /> Published by {who(review.published_by)}, <Ago at={review.published_at} />. What is published stays as it is.
            </p>
        );
    }
    if (review.missing.length === 0) {
        return <p className={css.published}><IconCheck size={18} aria-hidden /> Nothing is missing: it can be published.</p>;
    }
    return (
        <section className={css.missing} aria-label="Missing before publishing" data-testid="missing">
            <h2>Before it can be published</h2>
            <ul>
                {review.missing.map(({ what, remedy }) => (
                    <li key={what}>
                        {leads[what] ? <a href={leads[what]}>{missingTitle(what)}</a> : <Link to={`/incidents/${review.incident}#${what}`}>{missingTitle(what)}</Link>}: {remedy}
                    </li>
                ))}
            </ul>
        </section>
    );
}

function Editor({ review }: { review: Review }) {
    const change = useReviewChange(review.incident);
    const { withToken, ask } = useAccess();
    const [text, setText] = useState<ReviewFields>(review.fields);
    const [publishing, setPublishing] = useState(false);
    const published = review.state === 'published';
    const changed = changedFields(review.fields, text);
    const dirty = review.state === 'none' || Object.keys(changed).length > 0;
    const missing = new Set<string>(review.missing.map(({ what }) => what));

    const save = (then?: (saved: Review) => void): void =>
        withToken(() =>
            change.mutate({ do: 'draft', fields: review.state === 'none' ? text : changed }, {
                onSuccess: (saved) => {
                    setText((now) => ({ ...saved.fields, ...changedFields(text, now) }));
                    if (then) then(saved);
                    else notifications.show({ message: 'The draft is saved.' });
                },
                onError: (error) => {
                    if (error instanceof ApiError && error.status === 401) ask();
                },
            }),
        );
    const publish = (): void => {
        const confirm = (now: Review): void => {
            if (now.missing.length === 0) setPublishing(true);
        };
        if (dirty) save(confirm);
        else withToken(() => confirm(review));
    };
    return (
        <Panel title={published ? 'What was learned' : 'Write it'} aside={published ? undefined : dirty ? 'not saved' : 'saved'}>
            <div className={css.fields}>
                {fieldsOfReview.map(({ name, label, help, rows }) =>
                    published ? (
                        text[name] && <section key={name}><h3>{label}</h3><p className={css.prose}>{text[name]}</p></section>
                    ) : (
                        <Textarea
                            key={name}
                            id={name}
                            label={<>{label} {missing.has(name) && <span className={`${partsCss.chip} ${partsCss.hot}`}>missing</span>}</>}
                            description={help}
                            autosize
                            minRows={rows}
                            maxRows={16}
                            maxLength={20_000}
                            value={text[name] ?? ''}
                            onChange={(event) => setText({ ...text, [name]: event.currentTarget.value })}
                        />
                    ),
                )}
                {change.error && <InlineError>{change.error.message}</InlineError>}
                {!published && (
                    <>
                        <div className={css.buttons}>
                            <Button variant={review.missing.length === 0 ? 'default' : 'filled'} loading={change.isPending} disabled={!dirty} onClick={() => save()}>Save the draft</Button>
                            <Button variant={review.missing.length === 0 ? 'filled' : 'default'} disabled={review.missing.length > 0 && !dirty} onClick={publish}>Publish</Button>
                            {review.missing.length > 0 && <span className="dim">Still missing: {review.missing.map(({ what }) => missingTitle(what).toLowerCase()).join(', ')}</span>}
                        </div>
                        <AccessNote />
                    </>
                )}
            </div>
            {publishing && (
                <ChangeDialog
                    title={`Publish the review of ${review.incident}?`}
                    lead="It is journaled as it stands, and cannot be changed afterwards."
                    submit="Publish"
                    reason={{ initial: 'Reviewed' }}
                    run={(reason) => change.mutateAsync({ do: 'publish', reason })}
                    done={() => notifications.show({ message: 'The review is published.' })}
                    onClose={() => setPublishing(false)}
                />
            )}
        </Panel>
    );
}

function Facts({ review }: { review: Review }) {
    return (
        <Panel title="Facts" aside="as recorded">
            <div className={incidentCss.impact}><ImpactStats impact={review.impact} /></div>
            <dl className={`${incidentCss.intervals} ${css.times}`}>
                {intervalsOf(review.anchors).filter(({ to }) => to).map(({ label, meaning, from, to }) => (
                    <div key={label} title={meaning}><dt>{label}</dt><dd><Since at={from} until={to} /></dd></div>
                ))}
            </dl>
            <dl className={incidentCss.table}>
                {anchorLabels.filter(({ key }) => review.anchors[key]).map(({ key, label }) => (
                    <div key={key} style={{ display: 'contents' }}><dt>{label}</dt><dd><At at={review.anchors[key]} /></dd></div>
                ))}
            </dl>
        </Panel>
    );
}
