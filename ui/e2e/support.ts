// What the specs share: reading and changing through the API, and the checks that every page must pass.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

export const token = process.env['TAGOUT_TOKEN'] ?? '';

export interface Summary { id: string; title: string; class: string; severity: string; state: string; finding_count: number }
export interface Finding { correlation: string; trace_id?: string; span_id?: string; evidence: string; rate: boolean }
export interface Incident extends Summary { findings: Finding[]; acked_by?: string; moves: string[] }
export interface Control { id: string; scope: string; mode: string; reason: string; state: string; incident?: string; time_to_effect_ms?: number; acknowledged: { reached: number; of: number } }

export async function read<T>(page: Page, path: string): Promise<T> {
    const answer = await page.request.get(path);
    expect(answer.ok(), `${path}: ${answer.status()}`).toBe(true);
    return (await answer.json()) as T;
}

export async function change<T = Incident>(page: Page, path: string, body: object): Promise<T> {
    const answer = await page.request.post(path, { data: body, headers: { Authorization: `Bearer ${token}` } });
    expect(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return (await answer.json()) as T;
}

export const declare = (page: Page, title: string, more: object = {}): Promise<Incident> =>
    change(page, '/v1/incidents', { title, class: 'tool', severity: 'SEV3', kind: 'drill', reason: 'a spec of the page', ...more });

let names = 0;
/** A name that no other run of these specs has. */
export const fresh = (what: string): string => `${what}-${Date.now().toString(36)}${names++}`;

export async function keepToken(page: Page, name = 'ana'): Promise<void> {
    await page.addInitScript(([held, person]) => {
        window.sessionStorage.setItem('tagout.token', held ?? '');
        window.localStorage.setItem('tagout.name', person ?? '');
    }, [token, name]);
}

export async function fits(page: Page): Promise<void> {
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, 'the page scrolls sideways').toBeLessThanOrEqual(0);
}

export async function isAccessible(page: Page): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).analyze();
    const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect(serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}
