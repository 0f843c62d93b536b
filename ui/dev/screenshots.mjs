// Pictures of the main screens at desktop and phone width: SCREENSHOT_DIR, TAGOUT_URL.
import { chromium } from '@playwright/test';

const url = process.env.TAGOUT_URL;
const folder = process.env.SCREENSHOT_DIR ?? 'test-results';
const widths = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const { incidents } = await (await fetch(`${url}/v1/incidents`)).json();
const worst = incidents[0]?.id;
const incident = worst ? await (await fetch(`${url}/v1/incidents/${worst}`)).json() : null;
const finding = incident?.findings.find((each) => each.span_id && each.correlation);
const screens = {
    now: '/',
    incidents: '/incidents',
    ...(worst ? { incident: `/incidents/${worst}` } : {}),
    ...(finding ? { trace: `/traces?correlation=${encodeURIComponent(finding.correlation)}&step=${finding.span_id}` } : {}),
    class: `/classes/${incident?.class ?? 'tool'}`,
    agents: '/agents',
};

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
for (const [size, viewport] of Object.entries(widths)) {
    const page = await browser.newPage({ viewport, colorScheme: process.env.SCREENSHOT_SCHEME ?? 'light' });
    for (const [name, path] of Object.entries(screens)) {
        await page.goto(url + path);
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${folder}/${name}-${size}.png` });
    }
}
await browser.close();
