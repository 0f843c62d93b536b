// `?`: which keys there are.
import { Modal } from '@mantine/core';

import { places } from './places';
import css from './Shell.module.css';

const rows: [string, string[]][] = [
    ['Jump to an incident, agent, trace or page; stop, roll back', ['/', 'Ctrl K']],
    ['These keys', ['?']],
    ...places.map(({ label, key }): [string, string[]] => [`Go to ${label}`, ['g', key]]),
    ['Next or previous in a list or trace', ['↓', '↑']],
    ['Fold or unfold a step of a trace', ['←', '→']],
    ['Acknowledge (incident)', ['a']],
    ['Write a note (incident)', ['n']],
    ['Stop what is recommended (incident)', ['x']],
    ['Close what is open', ['Esc']],
];

export function Keys({ opened, onClose }: { opened: boolean; onClose: () => void }) {
    return (
        <Modal opened={opened} onClose={onClose} title="Keys" size="md">
            <dl className={css.keys}>
                {rows.map(([what, keys]) => (
                    <div key={what}>
                        <dt>{what}</dt>
                        <dd>
                            {keys.map((key) => (
                                <kbd key={key} className={css.kbd}>{key}</kbd>
                            ))}
                        </dd>
                    </div>
                ))}
            </dl>
        </Modal>
    );
}
