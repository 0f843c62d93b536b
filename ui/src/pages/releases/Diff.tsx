// What changed between two versions: side by side where there is room, one below the other on a phone.
import { useDiff, useVersion } from '../../api/releases';
import type { VersionDiff } from '../../api/types';
import { plural } from '../../format/number';
import { type Row, type VersionLine, sideBySide } from '../../format/releases';
import { Failure, Waiting } from '../../parts/layout';
import css from './releases.module.css';

export function Diff({ line, from, to }: { line: VersionLine; from: number; to: number }) {
    const same = from === to;
    const { data, error, refetch } = useDiff(line.family, line.name, same ? 0 : from, same ? 0 : to);
    if (same) return <Whole hash={line.versions.find(({ number }) => number === to)?.hash ?? ''} />;
    if (error && !data) return <Failure error={error} what="the difference" retry={() => void refetch()} />;
    if (!data) return <Waiting what="the difference" />;
    return (
        <figure className={css.diff} data-testid="diff">
            <figcaption>
                v{data.from} to v{data.to}: <span className={css.plus}>{plural(data.added, 'line')} added</span>, <span className={css.minus}>{plural(data.removed, 'line')} removed</span>
                {data.whole && <span className="dim">. Too large to compare line by line, so all of it is shown.</span>}
            </figcaption>
            {data.added + data.removed === 0 ? <p className="dim">They say the same.</p> : (
                <>
                    <SideBySide rows={sideBySide(data.lines)} from={data.from} to={data.to} />
                    <Unified lines={data.lines} />
                </>
            )}
        </figure>
    );
}

function Whole({ hash }: { hash: string }) {
    const { data, error } = useVersion(hash);
    if (error) return <Failure error={error} what="the version" />;
    if (!data) return <Waiting what="the version" />;
    return <pre className={css.content} tabIndex={0} aria-label={`Content of v${data.number}`}>{data.content}</pre>;
}

const marks = { same: '', added: css.added, removed: css.removed, gap: css.gap } as const;

function SideBySide({ rows, from, to }: { rows: Row[]; from: number; to: number }) {
    return (
        <div className={css.sides} role="region" aria-label="Difference, side by side" tabIndex={0}>
            <table>
                <colgroup><col className={css.numbers} /><col /><col className={css.numbers} /><col /></colgroup>
                <thead className="visually-hidden"><tr><th scope="col">Line</th><th scope="col">v{from}</th><th scope="col">Line</th><th scope="col">v{to}</th></tr></thead>
                <tbody>
                    {rows.map(({ before, after, gap }, i) =>
                        gap ? (
                            <tr key={i}><td colSpan={4} className={css.gap}>⋯ {before?.text}</td></tr>
                        ) : (
                            <tr key={i}>
                                <td className={css.number}>{before?.from_line}</td>
                                <td className={before && before.kind !== 'same' ? css.removed : before ? '' : css.none}>{before?.text}</td>
                                <td className={css.number}>{after?.to_line}</td>
                                <td className={after && after.kind !== 'same' ? css.added : after ? '' : css.none}>{after?.text}</td>
                            </tr>
                        ),
                    )}
                </tbody>
            </table>
        </div>
    );
}

function Unified({ lines }: { lines: VersionDiff['lines'] }) {
    const sign = { same: ' ', added: '+', removed: '-', gap: '⋯' } as const;
    return (
        <div className={css.unified} role="region" aria-label="Difference" tabIndex={0}>
            {lines.map((line, i) => (
                <div key={i} className={marks[line.kind]}><span aria-hidden>{sign[line.kind]}</span>{line.text || ' '}</div>
            ))}
        </div>
    );
}
