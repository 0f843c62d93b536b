// One control in force: what it closes, whether it bit, whose it is, until when.
import { Link } from 'react-router';

import type { Control } from '../../api/types';
import { modeTitle, scopeText, who } from '../../format/controls';
import { count } from '../../format/number';
import { partsCss } from '../../parts/layout';
import { Proof } from '../../parts/Proof';
import { Ago } from '../../parts/When';
import { useNowMs } from '../../parts/ticking';
import { duration } from '../../format/time';
import css from './containment.module.css';
import { ControlActions } from './ControlActions';
import { Stages } from './Stages';

export function ModeMark({ control }: { control: Control }) {
    const tone = control.mode === 'observe' || control.state === 'released' ? '' : control.mode === 'stopped' ? partsCss.hot : css.restricted;
    return <span className={`${partsCss.chip} ${tone}`}>{modeTitle[control.mode]}</span>;
}

/** When somebody must look again; past due is said in red, because it never lapses by itself. */
export function ReviewBy({ control }: { control: Control }) {
    const left = Date.parse(control.review_by) - useNowMs();
    return left < 0
        ? <span className={css.bad}>overdue since {duration(-left)}</span>
        : <time dateTime={control.review_by} className={control.review === 'near' ? `num ${css.warn}` : 'num'}>in {duration(left)}{control.review === 'near' && ', people were told'}</time>;
}

export function ControlCard({ control, bare }: { control: Control; bare?: boolean }) {
    const terms = control.rate ?? control.budget ?? control.pin?.join(', ');
    return (
        <article className={bare ? css.bare : css.card} aria-label={`${control.id} ${scopeText(control.scope)}`}>
            <header className={css.cardHead}>
                <h2>
                    <ModeMark control={control} />
                    <Link to={`/containment/${control.id}`}>{scopeText(control.scope)}</Link>
                    {control.route_to && <span className="dim">to {control.route_to}</span>}
                    {terms && <span className="dim">to {terms}</span>}
                    {control.redact && <span className="dim">of {control.redact.join(', ')}</span>}
                </h2>
                <p className={css.reason}>{control.reason}</p>
            </header>
            <Proof control={control} />
            <dl className={css.facts}>
                <div><dt>By</dt><dd>{control.rule ? `${control.rule} (automatic)` : who(control.author)}</dd></div>
                <div><dt>Since</dt><dd><Ago at={control.since} /></dd></div>
                <div><dt>{control.mode === 'redact' || control.mode === 'route' ? 'Calls changed' : 'Calls refused'}</dt><dd>{count(control.calls_refused)}</dd></div>
                <div><dt>Look again</dt><dd><ReviewBy control={control} /></dd></div>
                {control.incident && <div><dt>Incident</dt><dd><Link to={`/incidents/${control.incident}`}>{control.incident}</Link></dd></div>}
                <div><dt>Control</dt><dd><Link to={`/containment/${control.id}`}>{control.id}</Link></dd></div>
            </dl>
            {control.validating && <Stages control={control} />}
            <ControlActions control={control} />
        </article>
    );
}
