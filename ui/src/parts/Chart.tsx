// One small chart: lines over minutes, an optional threshold, drawn by uPlot at the width it gets.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
    label: string;
    colour: string;
    values: number[];
    dashed?: boolean;
    fill?: boolean;
}

const heightPx = 120;

/** A CSS variable's value: a canvas knows no variables. */
function resolved(colour: string): string {
    const name = /^var\((--[\w-]+)\)$/.exec(colour)?.[1];
    return name ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() || 'gray' : colour;
}

export function Chart({ times, lines, label }: { times: number[]; lines: readonly Line[]; label: string }) {
    const holder = useRef<HTMLDivElement>(null);
    useEffect(() => {
        const element = holder.current;
        if (!element) return;
        const axis = { stroke: resolved('var(--dim)'), grid: { stroke: resolved('var(--line)'), width: 1 }, ticks: { show: false }, font: '11px system-ui' };
        const chart = new uPlot(
            {
                width: element.clientWidth,
                height: heightPx,
                legend: { show: false },
                cursor: { show: false },
                scales: { y: { range: (_self, _min, max) => [0, max > 0 ? max * 1.15 : 1] } },
                axes: [axis, { ...axis, size: 44 }],
                series: [
                    {},
                    ...lines.map((line) => ({
                        label: line.label,
                        stroke: resolved(line.colour),
                        width: 1.5,
                        points: { show: false },
                        ...(line.dashed ? { dash: [4, 4] } : {}),
                        ...(line.fill ? { fill: `color-mix(in srgb, ${resolved(line.colour)} 15%, transparent)` } : {}),
                    })),
                ],
            },
            [times, ...lines.map((line) => line.values)],
            element,
        );
        const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: heightPx }));
        observer.observe(element);
        return () => {
            observer.disconnect();
            chart.destroy();
        };
    }, [times, lines]);
    return <div ref={holder} role="img" aria-label={label} style={{ minHeight: heightPx }} />;
}
