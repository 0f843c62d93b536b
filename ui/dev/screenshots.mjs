// Pictures of the main screens at desktop and phone width: SCREENSHOT_DIR, TAGOUT_URL. With TAGOUT_TOKEN
// it also stops what the worst incident recommends, in two taps, and shows the stop and its proof.
import { chromium } from '@playwright/test';

const url = process.env.TAGOUT_URL;
const token = process.env.TAGOUT_TOKEN;
const folder = process.env.SCREENSHOT_DIR ?? 'test-results';
const widths = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const { incidents } = await (await fetch(`${url}/v1/incidents`)).json();
const worst = incidents[0]?.id;
const incident = worst ? await (await fetch(`${url}/v1/incidents/${worst}`)).json() : null;
const finding = incident?.findings.find((each) => each.span_id && each.correlation);
const ofIncident = worst ? `/incidents/${worst}` : null;

const before = {
    now: '/',
    incidents: '/incidents',
    incident: ofIncident,
    trace: finding ? `/traces?correlation=${encodeURIComponent(finding.correlation)}&step=${finding.span_id}` : null,
    class: `/classes/${incident?.class ?? 'tool'}`,
    agents: '/agents',
};
const after = {
    'incident-stopped': ofIncident,
    containment: '/containment',
    releases: '/releases',
    review: worst ? `/reviews/${worst}` : null,
    reviews: '/reviews',
    gate: '/gate',
};

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

async function open(viewport) {
    const page = await browser.newPage({ viewport, colorScheme: process.env.SCREENSHOT_SCHEME ?? 'light' });
    if (token) {
        await page.addInitScript((held) => {
            window.sessionStorage.setItem('tagout.token', held);
            window.localStorage.setItem('tagout.name', 'ana');
        }, token);
    }
    return page;
}

async function shoot(screens) {
    for (const [size, viewport] of Object.entries(widths)) {
        const page = await open(viewport);
        for (const [name, path] of Object.entries(screens)) {
            if (!path) continue;
            await page.goto(url + path);
            await page.waitForTimeout(1500);
            await page.screenshot({ path: `${folder}/${name}-${size}.png` });
        }
        await page.close();
    }
}

/** The first tap at both widths, the second one on the phone. */
async function stop() {
    for (const [size, viewport] of Object.entries(widths)) {
        const page = await open(viewport);
        await page.goto(url);
        const first = page.getByTestId('stop-now');
        await page.waitForTimeout(1500);
        if ((await first.count()) === 0) continue;
        await first.click();
        await page.waitForTimeout(800);
        await page.screenshot({ path: `${folder}/stop-${size}.png` });
        if (size === 'phone') {
            await page.getByRole('button', { name: /^Confirm/ }).click();
            await page.waitForTimeout(3000);
            await page.screenshot({ path: `${folder}/stopped-${size}.png` });
        }
        await page.close();
    }
}

await shoot(before);
if (token) await stop();
await shoot(after);
await browser.close();
