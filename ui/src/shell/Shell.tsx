// What surrounds every page: rail or bottom bar, top bar, palette, keys.
import { Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconDots, IconKeyboard, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { Suspense, lazy, useEffect, useRef, useState } from 'react';
import { Link, NavLink, Outlet, useLocation, useNavigate } from 'react-router';

import { useLive } from '../api/live';
import { useApprovals } from '../api/containment';
import { useNow } from '../api/queries';
import { failureClasses, severities } from '../api/types';
import { localTime } from '../format/time';
import { classTitle } from '../format/words';
import { Waiting } from '../parts/layout';
import { AccessProvider } from './access';
import { Keys } from './Keys';
import { PageGuard } from './PageGuard';
import { places } from './places';
import css from './Shell.module.css';
import { StopProvider } from './stop';
import { ModeChip, StopMenu } from './StopMenu';
import { useKeys } from './useKeys';

const Palette = lazy(() => import('./Palette'));

function Logo() {
    return (
        <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden>
            <path d="M9.2 2h13.6A3.200 3.200 0 0 1 26 5.200v21.600a3.200 3.200 0 0 1-3.200 3.200H9.200A3.200 3.200 0 0 1 6 26.800V5.200A3.200 3.200 0 0 1 9.200 2Z" fill="#e5484d" />
            <circle cx="16" cy="8" r="2.600" fill="#fff" />
            <path d="M10.500 16.500h11M10.500 21h11M10.500 25.500h6.500" stroke="#fff" strokeWidth="2.200" strokeLinecap="round" />
        </svg>
    );
}

function Rail() {
    const now = useNow().data;
    const waiting = useApprovals().data?.approvals.length ?? 0;
    const { pathname } = useLocation();
    return (
        <nav className={css.rail} aria-label="Main">
            <Link to="/" className={css.brand}>
                <Logo /> <span>Tagout</span>
            </Link>
            <div className={css.nav}>
                {places.map(({ to, label, icon: Icon }) => (
                    <div key={to}>
                        <NavLink to={to} end={to === '/'} aria-current={undefined} {...(to === '/classes' ? currentOf(pathname, '/classes') : {})}>
                            <Icon size={17} stroke={1.75} aria-hidden />
                            <span>{label}</span>
                            {to === '/incidents' && now && now.incidents.length > 0 && (
                                <span className={css.badge} title="open incidents">{now.incidents.length}</span>
                            )}
                            {to === '/containment' && waiting > 0 && (
                                <span className={css.badge} title="calls that wait for a person">{waiting}</span>
                            )}
                        </NavLink>
                        {to === '/classes' && pathname.startsWith('/classes') &&
                            failureClasses.map((name) => (
                                <NavLink key={name} to={`/classes/${name}`} className={css.sub}>
                                    <span>{classTitle[name]}</span>
                                </NavLink>
                            ))}
                    </div>
                ))}
            </div>
            <p className={css.railFoot}>{window.location.host}</p>
        </nav>
    );
}

/** The section is marked by its sub-page, not twice. */
const currentOf = (pathname: string, to: string) => (pathname.startsWith(`${to}/`) ? { 'aria-current': false as const } : {});

function Counts() {
    const open = useNow().data?.open;
    if (!open) return null;
    return (
        <div className={css.counts} role="group" aria-label="Open incidents by severity">
            {severities.map((severity) => (
                <Link
                    key={severity}
                    to={`/incidents?severity=${severity}`}
                    className={`${css.count} ${open[severity] > 0 ? css[severity] : css.zero}`}
                    aria-label={`${open[severity]} open ${severity}`}
                >
                    {severity} <b>{open[severity]}</b>
                </Link>
            ))}
        </div>
    );
}

function Live() {
    const { live, lastHeardAt } = useLive();
    const since = lastHeardAt > 0 ? `Not live since ${localTime(new Date(lastHeardAt), new Date())}` : 'Connecting…';
    return (
        <span className={`${css.live} ${live ? '' : css.lost}`} role="status" data-testid="live"
            title={live ? 'Changes appear by themselves' : 'What you see may be old. Reconnecting by itself.'}>
            {live ? 'Live' : since}
        </span>
    );
}

function SchemeButton() {
    const { setColorScheme } = useMantineColorScheme();
    const scheme = useComputedColorScheme('light');
    const other = scheme === 'dark' ? 'light' : 'dark';
    return (
        <button type="button" className={css.icon} aria-label={`Use ${other} colours`} title={`Use ${other} colours`} onClick={() => setColorScheme(other)}>
            {scheme === 'dark' ? <IconSun size={18} stroke={1.6} aria-hidden /> : <IconMoon size={18} stroke={1.6} aria-hidden />}
        </button>
    );
}

function BottomBar() {
    const navigate = useNavigate();
    const waiting = useApprovals().data?.approvals.length ?? 0;
    return (
        <nav className={css.bottom} aria-label="Main, short">
            {places.slice(0, 4).map(({ to, label, icon: Icon }) => (
                <NavLink key={to} to={to} end={to === '/'}>
                    <Icon size={20} stroke={1.6} aria-hidden />
                    {label}
                    {to === '/containment' && waiting > 0 && <span className={css.waiting} title="calls that wait for a person">{waiting}</span>}
                </NavLink>
            ))}
            <Menu position="top-end" withinPortal>
                <Menu.Target>
                    <button type="button">
                        <IconDots size={20} stroke={1.6} aria-hidden />
                        More
                    </button>
                </Menu.Target>
                <Menu.Dropdown>
                    {places.slice(4).map(({ to, label, icon: Icon }) => (
                        <Menu.Item key={to} leftSection={<Icon size={17} stroke={1.6} aria-hidden />} onClick={() => void navigate(to)}>
                            {label}
                        </Menu.Item>
                    ))}
                </Menu.Dropdown>
            </Menu>
        </nav>
    );
}

export function Shell() {
    const [paletteOpen, setPaletteOpen] = useState(false);
    const [keysOpen, setKeysOpen] = useState(false);
    const { pathname } = useLocation();
    const content = useRef<HTMLElement>(null);
    const first = useRef(true);
    useKeys({ palette: () => setPaletteOpen(true), keys: () => setKeysOpen(true) });

    // A new page begins at its top, and what reads aloud begins there too.
    useEffect(() => {
        if (first.current) {
            first.current = false;
            return;
        }
        window.scrollTo(0, 0);
        content.current?.focus({ preventScroll: true });
    }, [pathname]);

    return (
        <AccessProvider>
            <StopProvider>
                <a className={css.skip} href="#content">Skip to content</a>
                <div className={css.shell}>
                    <Rail />
                    <div className={css.main}>
                        <header className={css.top}>
                            <Link to="/" className={css.topBrand} aria-label="Tagout, first screen">
                                <Logo /> <span>Tagout</span>
                            </Link>
                            <button type="button" className={css.search} onClick={() => setPaletteOpen(true)}>
                                <IconSearch size={15} aria-hidden /> Jump to… <kbd>Ctrl K</kbd>
                            </button>
                            <div className={css.spacer} />
                            <Counts />
                            <ModeChip />
                            <Live />
                            <StopMenu />
                            <button type="button" className={`${css.icon} ${css.searchIcon}`} aria-label="Jump to" onClick={() => setPaletteOpen(true)}>
                                <IconSearch size={19} stroke={1.6} aria-hidden />
                            </button>
                            <span className={css.wide}><SchemeButton /></span>
                            <button type="button" className={`${css.icon} ${css.keysButton}`} aria-label="Keyboard keys" title="Keyboard keys (?)" onClick={() => setKeysOpen(true)}>
                                <IconKeyboard size={18} stroke={1.6} aria-hidden />
                            </button>
                        </header>
                        <main id="content" className={css.content} ref={content} tabIndex={-1}>
                            <Suspense fallback={<Waiting what="the page" />}>
                                <PageGuard key={pathname}><Outlet /></PageGuard>
                            </Suspense>
                        </main>
                    </div>
                    <BottomBar />
                </div>
                {paletteOpen && (
                    <Suspense fallback={null}>
                        <Palette onClose={() => setPaletteOpen(false)} />
                    </Suspense>
                )}
                <Keys opened={keysOpen} onClose={() => setKeysOpen(false)} />
            </StopProvider>
        </AccessProvider>
    );
}
