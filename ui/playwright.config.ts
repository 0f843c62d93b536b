// The specs run against TAGOUT_URL with TAGOUT_TOKEN, in Debian's Chromium, at two widths.
import { defineConfig } from '@playwright/test';

const launchOptions = {
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync',
    ],
};

export default defineConfig({
    testDir: 'e2e',
    outputDir: 'test-results',
    workers: 1,
    // A spec clicks on a page that a live fleet writes on, on two cores that the fleet shares: what fails once and
    // passes then is printed as flaky, also by tests/e2e/test_page.py.
    retries: 1,
    timeout: 60_000,
    expect: { timeout: 15_000 },
    reporter: 'line',
    use: { baseURL: process.env['TAGOUT_URL'] ?? 'http://127.0.0.1:8399', launchOptions },
    projects: [
        { name: 'desktop', use: { viewport: { width: 1280, height: 800 } } },
        { name: 'phone', use: { viewport: { width: 390, height: 844 }, hasTouch: true } },
    ],
});
