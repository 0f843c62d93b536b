// Sessions of the last hour by outcome.
import type { Now } from '../../api/types';
import { outcomes } from '../../api/types';
import { count, percent } from '../../format/number';
import { outcomeTitle } from '../../format/words';
import { Panel } from '../../parts/layout';
import css from './now.module.css';

export function Sessions({ sessions }: { sessions: Now['sessions'] }) {
    const total = outcomes.reduce((sum, name) => sum + sessions[name], 0);
    return (
        <Panel title="Sessions, last hour" aside={`${count(sessions.live)} live now`}>
            <div className={css.bar} aria-hidden>
                {total > 0 && outcomes.filter((name) => sessions[name] > 0).map((name) => (
                    <span key={name} className={css[name]} style={{ flexGrow: sessions[name] }} />
                ))}
            </div>
            <ul className={css.legend}>
                {outcomes.map((name) => (
                    <li key={name}>
                        <span className={`${css.swatch} ${css[name]}`} aria-hidden />
                        {outcomeTitle[name]}
                        <b>{count(sessions[name])}</b>
                        <i>{total > 0 ? percent(sessions[name] / total) : '-'}</i>
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
