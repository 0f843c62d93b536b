// Incidents that freeze changes now.
import { IconSnowflake } from '@tabler/icons-react';
import { Link } from 'react-router';

import type { Freeze } from '../../api/types';
import { SeverityChip } from '../../parts/chips';
import css from './releases.module.css';

export function FreezeBanner({ freezes }: { freezes: readonly Freeze[] }) {
    if (freezes.length === 0) return null;
    return (
        <ul className={css.freezes} aria-label="Freezes" data-testid="freezes">
            {freezes.map((freeze) => (
                <li key={freeze.incident}>
                    <IconSnowflake size={18} stroke={1.75} aria-hidden />
                    <p>
                        <strong>Frozen by <Link to={`/incidents/${freeze.incident}`}>{freeze.incident}</Link></strong> <SeverityChip severity={freeze.severity} /> {freeze.title}
                        <span>{freeze.sentence}</span>
                    </p>
                </li>
            ))}
        </ul>
    );
}
