// From an incident to a proved stop and back to normal, as a person does it on the page.
import { expect, test, type Page } from '@playwright/test';

import { type Control, type Summary, change, declare, fits, fresh, isAccessible, keepToken, read } from './support';

const control = (page: Page, id: string): Promise<Control> => read<Control>(page, `/v1/controls/${id}`);
const stopped = (page: Page, scope: string, more: object = {}): Promise<Control> =>
    change<Control>(page, '/v1/controls', { scope, mode: 'stopped', reason: 'a spec of the page', actor: 'ana', ...more });

/** Leaves nothing stopped behind. */
async function release(page: Page, id: string): Promise<void> {
    if ((await control(page, id)).state === 'released') return;
    await change(page, `/v1/controls/${id}/request-release`, { reason: 'the spec is over', actor: 'ana' });
    await change(page, `/v1/controls/${id}/release`, { reason: 'the spec is over', actor: 'bo', without_journeys: 'nothing real is behind it' });
}

/** The fleet writes on while a spec clicks, and the page may move under the pointer: as a person would, again. */
async function openDialog(page: Page, button: RegExp): Promise<void> {
    const dialog = page.getByRole('dialog');
    await expect(async () => {
        if (!(await dialog.isVisible())) await page.getByRole('button', { name: button }).first().click({ timeout: 3000 });
        await expect(dialog).toBeVisible({ timeout: 3000 });
    }).toPass({ timeout: 30_000 });
}

async function newest(page: Page, scope: string): Promise<Control> {
    const { controls } = await read<{ controls: Control[] }>(page, '/v1/controls');
    const found = controls.find((each) => each.scope === scope);
    expect(found, `no control of ${scope}`).toBeDefined();
    return found!;
}

test('a stop takes two taps, and says when it is proved', async ({ page }) => {
    const tool = fresh('spec.tool');
    const incident = await declare(page, `Stopped ${tool}`, { tool });
    await keepToken(page);
    await page.goto(`/incidents/${incident.id}`);
    await page.getByTestId('stop-now').click();
    const sheet = page.getByRole('dialog');
    await expect(sheet.getByLabel('Reason')).toHaveValue(incident.title);
    await expect(sheet.getByTestId('stop-preview')).toContainText('Every call is refused');
    await fits(page);
    await isAccessible(page);
    await sheet.getByRole('button', { name: /^Confirm/ }).click();

    const proof = sheet.getByTestId('proof');
    await expect(proof).toBeVisible();
    const made = await newest(page, `tool:${tool}`);
    expect(made).toMatchObject({ mode: 'stopped', reason: incident.title, incident: incident.id });
    // The page ends where the server ends.
    await expect.poll(async () => (await control(page, made.id)).state).not.toBe('requested');
    await expect.poll(async () => (await proof.getAttribute('data-state')) === (await control(page, made.id)).state).toBe(true);
    const now = await control(page, made.id);
    await expect(proof).toContainText(`${now.acknowledged.reached}/${now.acknowledged.of}`);
    if (now.time_to_effect_ms !== undefined) await expect(proof).toContainText('to take effect');
    await sheet.getByRole('button', { name: 'Done' }).click();
    await expect(page.getByTestId('in-force')).toContainText(tool);
    await expect(page.getByTestId('stop-now')).toHaveCount(0);
    await release(page, made.id);
});

test('two keys stop as well', async ({ page }) => {
    const tool = fresh('spec.keys');
    const incident = await declare(page, `Keyed ${tool}`, { tool });
    await keepToken(page);
    await page.goto(`/incidents/${incident.id}`);
    await expect(page.getByTestId('stop-now')).toBeVisible();
    await page.keyboard.press('x');
    await expect(page.getByRole('button', { name: /^Confirm/ })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('proof').first()).toBeVisible();
    await release(page, (await newest(page, `tool:${tool}`)).id);
});

test('without a token the stop asks for it and for a name', async ({ page }) => {
    const incident = await declare(page, `Asked ${fresh('x')}`, { tool: 'spec.asked' });
    await page.goto(`/incidents/${incident.id}`);
    await page.getByTestId('stop-now').click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByLabel('Your name')).toBeVisible();
    await expect(dialog.getByRole('textbox', { name: 'Administrator token' })).toBeVisible();
    await dialog.getByLabel('Your name').fill('ana');
    await dialog.getByRole('textbox', { name: 'Administrator token' }).fill(process.env['TAGOUT_TOKEN'] ?? '');
    await dialog.getByRole('button', { name: 'Check and keep' }).click();
    await expect(page.getByRole('button', { name: /^Confirm: stop tool spec.asked/ })).toBeVisible();
});

test('stopping everything needs its name typed, from any page', async ({ page }) => {
    await keepToken(page);
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Stop…' }).click();
    await page.getByRole('menuitem', { name: 'Everything…' }).click();
    const sheet = page.getByRole('dialog');
    await sheet.getByLabel('Reason').fill('a spec of the page');
    const confirm = sheet.getByRole('button', { name: /^Confirm/ });
    await expect(confirm).toBeDisabled();
    await sheet.getByLabel(/This stops every agent/).fill('global');
    await expect(confirm).toBeEnabled();
    await sheet.getByRole('button', { name: 'Leave it' }).click();
    await expect(sheet).toHaveCount(0);
});

test('a release takes a second person', async ({ page }) => {
    const made = await stopped(page, `tool:${fresh('spec.release')}`);
    await keepToken(page);
    await page.goto(`/containment/${made.id}`);
    await page.getByRole('button', { name: 'Ask for release' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('it is mended');
    await page.getByRole('dialog').getByRole('button', { name: 'Ask for release' }).click();
    await page.getByRole('button', { name: 'Release as a second person' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('looked at it');
    await dialog.getByLabel('Name of the second person').fill('ana');
    await expect(dialog.getByText('somebody else must release it')).toBeVisible();
    await expect(dialog.getByRole('button', { name: 'Release it' })).toBeDisabled();
    await dialog.getByLabel('Name of the second person').fill('bo');
    await dialog.getByLabel('Why it may be released without a journey').fill('nothing real is behind it');
    await dialog.getByRole('button', { name: 'Release it' }).click();
    await expect(page.getByText('Released', { exact: true }).first()).toBeVisible();
    expect(await control(page, made.id)).toMatchObject({ state: 'released', released_by: 'person:bo' });
});

test('what is in force is on the containment page and in the top bar, and can be renewed and probed', async ({ page }) => {
    const scope = `tool:${fresh('spec.listed')}`;
    const made = await stopped(page, scope);
    await keepToken(page);
    await page.goto('/containment');
    const card = page.getByRole('article', { name: new RegExp(`^${made.id} `) });
    await expect(card).toContainText(scope.slice(5));
    await expect(page.getByTestId('mode')).toContainText(/control|stopped/);
    await fits(page);
    await isAccessible(page);
    const before = (await read<{ review_by: string }>(page, `/v1/controls/${made.id}`)).review_by;
    await card.getByRole('button', { name: 'Renew' }).click();
    await page.getByLabel('Look again in').selectOption('168');
    await page.getByRole('dialog').getByLabel('Reason').fill('it takes longer');
    await page.getByRole('dialog').getByRole('button', { name: 'Renew' }).click();
    await expect.poll(async () => (await read<{ review_by: string }>(page, `/v1/controls/${made.id}`)).review_by > before).toBe(true);
    await card.getByRole('button', { name: 'Probe again' }).click();
    await expect(card.getByRole('button', { name: 'Probe again' })).toBeEnabled();
    await release(page, made.id);
    await expect(page.getByRole('table', { name: 'Released controls' })).toContainText(made.id);
});

interface Waiting { id: string; tool: string; arguments: string }

test('a waiting call is shown with its arguments and answered', async ({ page }) => {
    const waiting = async (): Promise<Waiting[]> => (await read<{ approvals: Waiting[] }>(page, '/v1/approvals')).approvals;
    let held: Control | undefined;
    if ((await waiting()).length === 0) {  // A fleet's own writes are made to wait.
        held = await change<Control>(page, '/v1/controls', { scope: 'agent:billing-agent', mode: 'approvals', reason: 'a spec of the page', actor: 'ana' });
        await expect.poll(async () => (await waiting()).length, { timeout: 40_000 }).toBeGreaterThan(0);
    }
    const [call] = await waiting();
    await keepToken(page);
    await page.goto('/containment');
    await expect(page.getByTestId('approvals')).toContainText(call!.tool);
    await openDialog(page, /^Deny$/);
    await page.getByRole('dialog').getByLabel('Reason').fill('not while it fails');
    await page.getByRole('dialog').getByRole('button', { name: 'Deny' }).click();
    await expect.poll(async () => (await waiting()).some(({ id }) => id === call!.id)).toBe(false);
    if (held) await release(page, held.id);
});

test('versions show what changed, and production is rolled back in two steps', async ({ page }, { project }) => {
    const name = fresh('spec-prompt');
    const publish = (content: string, message: string): Promise<unknown> =>
        change(page, '/v1/versions', { family: 'prompt', name, content, message, label: 'production', agent: name, actor: 'ana' });
    await publish('Say hello.\nBe brief.\n', 'first words');
    await publish('Say hello.\nBe long.\nNever stop.\n', 'longer answers');
    await keepToken(page);
    await page.goto(`/releases?family=prompt&name=${name}`);
    await expect(page.getByTestId('versions')).toContainText('longer answers');
    const diff = page.getByTestId('diff');
    await expect(diff).toContainText('2 lines added');
    await expect(diff.getByRole('region', { name: project.name === 'phone' ? 'Difference' : 'Difference, side by side', exact: true })).toContainText('Be long.');
    await fits(page);
    await isAccessible(page);
    await page.getByRole('button', { name: 'Roll back', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill('answers are too long');
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await expect(dialog).toHaveCount(0);
    const { versions } = await read<{ versions: { number: number; labels: string[]; name: string }[] }>(page, `/v1/versions?family=prompt&name=${name}`);
    expect(versions.find((each) => each.name === name && each.labels.includes('production'))?.number).toBe(1);
    await expect(page.getByRole('button', { name: /^Prompt/ }).filter({ hasText: name })).toContainText('v1 in production');
});

test('a freeze is shown where changes are made and on its incident', async ({ page }) => {
    const agent = fresh('spec-frozen');
    const incident = await declare(page, `Frozen ${agent}`, { severity: 'SEV1', kind: 'real', agent });
    await page.goto('/releases');
    await expect(page.getByTestId('freezes')).toContainText(incident.id);
    await page.goto(`/incidents/${incident.id}`);
    await expect(page.getByTestId('freeze')).toContainText('Changes frozen');
    await change(page, `/v1/incidents/${incident.id}/move`, { to: 'cancelled', reason: 'a spec of the page' });
});

test('the incident shows its ledger, and gives its evidence as a file', async ({ page }) => {
    const { incidents } = await read<{ incidents: Summary[] }>(page, '/v1/incidents?state=all');
    const { id } = incidents.find(({ finding_count }) => finding_count > 0) ?? (await declare(page, `Evidence ${fresh('x')}`));
    const ledger = await read<{ sentence: string }>(page, `/v1/incidents/${id}/ledger`);
    await keepToken(page);
    await page.goto(`/incidents/${id}`);
    // A living fleet goes on writing: the numbers move, the sentence stays.
    const shape = (text: string | null): string => (text ?? '').replaceAll(/\d+/g, 'N');
    await expect.poll(async () => shape(await page.getByTestId('ledger-sentence').textContent())).toBe(shape(ledger.sentence));
    await fits(page);
    await isAccessible(page);
    await page.getByRole('button', { name: 'Export the evidence' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('for the review');
    const download = page.waitForEvent('download');
    await page.getByRole('dialog').getByRole('button', { name: 'Export' }).click();
    expect((await download).suggestedFilename()).toContain(id);
    await expect(page.getByTestId('pack')).toContainText('tagout evidence verify');
});

test('a regression case is made from an incident and downloaded', async ({ page }) => {
    const { incidents } = await read<{ incidents: Summary[] }>(page, '/v1/incidents?state=all');
    // Of the storm that the test began with: it shows again when it is replayed, what is learned of a fleet does not.
    const incident = incidents.find(({ finding_count, class: of }) => finding_count > 0 && of === 'tool');
    expect(incident, 'no incident of the tool class has a finding').toBeDefined();
    await keepToken(page);
    await page.goto(`/incidents/${incident!.id}`);
    await openDialog(page, /^Make (a regression case|another)$/);
    await page.getByRole('dialog').getByLabel('Reason').fill('it must not come back');
    await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    const { regressions } = await read<{ regressions: { id: string }[] }>(page, `/v1/regressions?incident=${incident!.id}`);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: `Download ${regressions[0]!.id}` }).click();
    expect((await download).suggestedFilename()).toBe(`${regressions[0]!.id}.json`);
});

test('a review lists what is missing until it may be published', async ({ page }) => {
    const incident = await declare(page, `Reviewed ${fresh('x')}`);
    interface Review { state: string; missing: { what: string; remedy: string }[]; fields: Record<string, string> }
    const review = (): Promise<Review> => read<Review>(page, `/v1/incidents/${incident.id}/review`);
    const missing = async (): Promise<string[]> => (await review()).missing.map(({ what }) => what);
    await keepToken(page);
    await page.goto(`/reviews/${incident.id}`);
    for (const { remedy } of (await review()).missing) await expect(page.getByTestId('missing')).toContainText(remedy);
    await fits(page);
    await isAccessible(page);
    await page.getByLabel('Proximate trigger').fill('A prompt was published that speaks of euros.');
    await page.getByLabel('Systemic gap').fill('Nothing checks a prompt against the schema of the tools it names.');
    await page.getByRole('button', { name: 'Save the draft' }).click();
    await expect.poll(missing).not.toContain('systemic_gap');
    expect(await missing()).not.toContain('proximate_trigger');
    await page.getByRole('button', { name: 'Add an action' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What is to be done').fill('Check prompts against schemas');
    await dialog.getByLabel('Owner').fill('bo');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await expect.poll(missing).not.toContain('actions');
    const left = await missing();
    if (left.length > 0) {
        await expect(page.getByRole('button', { name: 'Publish' })).toBeDisabled();
        await expect(page.getByTestId('missing')).toBeVisible();
        return;
    }
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Publish' }).click();
    await expect(page.getByText(/Published by ana/)).toBeVisible();
    expect((await review()).state).toBe('published');
});

test('an overdue action is said in red and closed with evidence', async ({ page }) => {
    const incident = await declare(page, `Owed ${fresh('x')}`);
    const title = `Late ${fresh('x')}`;
    const action = await change<{ id: string }>(page, '/v1/actions', { incident: incident.id, title, kind: 'prevent', owner: 'bo', due: new Date(Date.now() - 86_400_000).toISOString(), actor: 'ana', reason: 'a spec' });
    await keepToken(page);
    await page.goto('/reviews?actions=overdue');
    const row = page.getByTestId('actions').getByRole('listitem').filter({ hasText: title });
    await expect(row).toContainText('overdue since');
    await fits(page);
    await isAccessible(page);
    await row.getByRole('button', { name: `Close ${action.id}` }).click();
    await page.getByLabel('What shows that it was done').fill('commit 8f21c0');
    await page.getByRole('dialog').getByRole('button', { name: 'Close it' }).click();
    await expect(row).toHaveCount(0);
});

test('the gate says its verdict and why', async ({ page }) => {
    const gate = await read<{ verdict: string; sentence: string; checks: { sentence: string }[] }>(page, '/v1/gate');
    await page.goto('/gate');
    await expect(page.getByTestId('verdict')).toHaveAttribute('data-verdict', gate.verdict);
    await expect(page.getByTestId('checks').getByRole('listitem')).toHaveCount(gate.checks.length);
    await fits(page);
    await isAccessible(page);
});

test('the palette does what one would do there', async ({ page }) => {
    await keepToken(page);
    await page.goto('/');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();  // Keys are heard once the page stands.
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Incident, agent' }).fill('run the gate');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/gate$/);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Incident, agent' }).fill('stop something');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByLabel('What')).toBeVisible();
});
