// The token of this browser, and every setting of the server.
import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';

import { useSettings } from '../../api/queries';
import { keepPersonName, keepToken, personName } from '../../api/token';
import { Failure, Page, Panel, Waiting } from '../../parts/layout';
import { Table } from '../../parts/Table';
import { TokenForm, TokenHelp, useStanding } from '../../shell/access';

function Access() {
    const standing = useStanding();
    const [name, setName] = useState(personName());
    return (
        <Panel title="Making changes from this browser">
            <TokenHelp />
            {standing === 'ok' ? (
                <p>
                    This browser keeps a token that the server accepts.{' '}
                    <Button variant="default" size="compact-sm" onClick={() => keepToken('', false)}>Forget it</Button>
                </p>
            ) : (
                <TokenForm />
            )}
            <TextInput
                mt="md"
                label="Your name"
                description="Signs what you do on the timeline."
                value={name}
                onChange={(event) => {
                    setName(event.currentTarget.value);
                    keepPersonName(event.currentTarget.value);
                }}
                maxLength={200}
            />
        </Panel>
    );
}

export default function SettingsPage() {
    const { data, error, refetch } = useSettings();
    return (
        <Page title="Settings" lead="Set in tagout.yaml; this shows what is in force.">
            <Access />
            <Panel title="In force" flush>
                {error && !data ? (
                    <Failure error={error} what="the settings" retry={() => void refetch()} />
                ) : !data ? (
                    <Waiting what="the settings" />
                ) : (
                    <Table
                        label="Settings"
                        head={['Setting', 'Value', 'Default', 'What it is']}
                        rows={data.settings.map((setting) => ({
                            key: setting.path,
                            cells: [
                                <code key="p">{setting.path}</code>,
                                setting.value === setting.default ? setting.value : <strong key="v">{setting.value}</strong>,
                                setting.default,
                                setting.help,
                            ],
                        }))}
                    />
                )}
            </Panel>
        </Page>
    );
}
