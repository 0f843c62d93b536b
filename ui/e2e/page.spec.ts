// What a person on call does on the page. Everything expected is what the API itself answers.
import { expect, test } from '@playwright/test';

import { type Finding, type Incident, type Summary, change, declare, fits, isAccessible, keepToken, read } from './support';

test('the first screen tells of the worst open incident', async ({ page }) => {
    const now = await read<{ incidents: Summary[] }>(page, '/v1/now');
    await page.goto('/');
    const worst = now.incidents[0];
    if (worst) {
        await expect(page.getByText(worst.id).first()).toBeVisible();
        await expect(page.getByText(worst.severity).first()).toBeVisible();
    } else {
        await expect(page.getByRole('heading').first()).toBeVisible();
    }
    await fits(page);
});

test('the list filters, and its filter lives in the address', async ({ page }) => {
    const made = await declare(page, `Listed ${Date.now()}`);
    await page.goto('/incidents?class=tool');
    await expect(page.getByTestId('incident-rows').getByText(made.title)).toBeVisible();
    await page.goto('/incidents?class=intent');
    await expect(page.getByText(made.title)).toHaveCount(0);
    await fits(page);
});

test('an incident is shown with its timeline and acted on with the token', async ({ page }) => {
    const made = await declare(page, `Acted on ${Date.now()}`);
    await keepToken(page);
    await page.goto(`/incidents/${made.id}`);
    await expect(page.getByRole('heading', { name: made.title })).toBeVisible();
    await fits(page);
    await change(page, `/v1/incidents/${made.id}/ack`, { actor: 'spec' });
    await change(page, `/v1/incidents/${made.id}/notes`, { text: 'the provider was told' });
    // Told by the stream, without a reload.
    await expect(page.getByText('the provider was told')).toBeVisible();
    await expect(page.getByText('person:spec').or(page.getByText('spec', { exact: true })).first()).toBeVisible();
});

test('without a token a change is refused by the server', async ({ page }) => {
    const made = await declare(page, `Guarded ${Date.now()}`);
    const answer = await page.request.post(`/v1/incidents/${made.id}/ack`, { data: {} });
    expect(answer.status()).toBe(401);
    await page.goto(`/incidents/${made.id}`);
    await expect(page.getByText(/Read only|token/i).first()).toBeVisible();
    expect((await read<Incident>(page, `/v1/incidents/${made.id}`)).acked_by).toBeUndefined();
});

test('the waterfall marks the step that a finding points at', async ({ page }) => {
    const { incidents } = await read<{ incidents: Summary[] }>(page, '/v1/incidents?state=all');
    let found: Finding | undefined;
    for (const { id } of incidents) {
        const incident = await read<Incident>(page, `/v1/incidents/${id}`);
        found ??= incident.findings.find((finding) => finding.span_id && finding.correlation);
    }
    expect(found, 'the fleet made no finding with a step').toBeDefined();
    await page.goto(`/traces?correlation=${encodeURIComponent(found!.correlation)}&step=${found!.span_id}`);
    await expect(page.getByTestId('waterfall')).toBeVisible();
    await expect(page.getByTestId('marked-step').first()).toBeVisible();
    await expect(page.getByTestId('marked-step').first()).toContainText('▲');
    await fits(page);
});

for (const name of ['intent', 'tool', 'context', 'safety', 'cost']) {
    test(`the ${name} dashboard shows its signals`, async ({ page }) => {
        const board = await read<{ signals: { meaning: string }[] }>(page, `/v1/classes/${name}`);
        expect(board.signals.length).toBeGreaterThan(0);
        await page.goto(`/classes/${name}`);
        for (const { meaning } of board.signals) await expect(page.getByText(meaning).first()).toBeVisible();
        await fits(page);
    });
}

test('agents, notices, journal and settings show what the API says', async ({ page }) => {
    const { agents } = await read<{ agents: { name: string }[] }>(page, '/v1/agents');
    await page.goto('/agents');
    for (const { name } of agents.slice(0, 4)) await expect(page.getByText(name, { exact: true }).first()).toBeVisible();
    await fits(page);
    const { settings } = await read<{ settings: { path: string }[] }>(page, '/v1/settings');
    await page.goto('/settings');
    await expect(page.getByText(settings[0]!.path, { exact: true })).toBeVisible();
    await fits(page);
    await page.goto('/journal');
    await expect(page.getByText('incident.opened').first()).toBeVisible();
    await fits(page);
    await page.goto('/notices');
    await expect(page.getByRole('heading', { name: 'Notices' })).toBeVisible();
    await fits(page);
});

for (const path of ['/', '/incidents', '/classes/tool', '/agents', '/settings']) {
    test(`${path} has no serious accessibility fault`, async ({ page }) => {
        await page.goto(path);
        await page.waitForLoadState('load');
        await expect(page.getByRole('heading').first()).toBeVisible();
        await isAccessible(page);
    });
}
