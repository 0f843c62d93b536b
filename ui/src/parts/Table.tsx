// A table that becomes a list of labelled lines on a phone.
import type { ReactNode } from 'react';

import css from './table.module.css';

export function Table({ head, rows, label }: { head: readonly string[]; rows: { key: string; cells: ReactNode[] }[]; label: string }) {
    return (
        <div className={css.scroll}>
            <table className={css.table} aria-label={label}>
                <thead>
                    <tr>{head.map((title) => <th key={title} scope="col">{title}</th>)}</tr>
                </thead>
                <tbody>
                    {rows.map(({ key, cells }) => (
                        <tr key={key}>
                            {cells.map((cell, i) => <td key={head[i]} data-label={head[i]}>{cell}</td>)}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}

export const tableCss = css;
