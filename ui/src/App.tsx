// The routes. Each page is a chunk of its own.
import { lazy } from 'react';
import { Navigate, Route, Routes } from 'react-router';

import { NowPage } from './pages/now/NowPage';
import { Shell } from './shell/Shell';

const IncidentsPage = lazy(() => import('./pages/incidents/IncidentsPage'));
const IncidentPage = lazy(() => import('./pages/incident/IncidentPage'));
const TracePage = lazy(() => import('./pages/trace/TracePage'));
const ContainmentPage = lazy(() => import('./pages/containment/ContainmentPage'));
const ControlPage = lazy(() => import('./pages/containment/ControlPage'));
const ReleasesPage = lazy(() => import('./pages/releases/ReleasesPage'));
const ReviewsPage = lazy(() => import('./pages/reviews/ReviewsPage'));
const ReviewPage = lazy(() => import('./pages/reviews/ReviewPage'));
const GatePage = lazy(() => import('./pages/gate/GatePage'));
const ClassesPage = lazy(() => import('./pages/classes/ClassesPage'));
const AgentsPage = lazy(() => import('./pages/agents/AgentsPage'));
const NoticesPage = lazy(() => import('./pages/notices/NoticesPage'));
const JournalPage = lazy(() => import('./pages/journal/JournalPage'));
const SettingsPage = lazy(() => import('./pages/settings/SettingsPage'));
const MissingPage = lazy(() => import('./pages/MissingPage'));

export function App() {
    return (
        <Routes>
            <Route element={<Shell />}>
                <Route index element={<NowPage />} />
                <Route path="incidents" element={<IncidentsPage />} />
                <Route path="incidents/:id" element={<IncidentPage />} />
                {/* Correlations may hold dots and slashes, which the server takes for files: a query holds them. */}
                <Route path="traces" element={<TracePage />} />
                <Route path="containment" element={<ContainmentPage />} />
                <Route path="containment/:id" element={<ControlPage />} />
                <Route path="releases" element={<ReleasesPage />} />
                <Route path="reviews" element={<ReviewsPage />} />
                <Route path="reviews/:id" element={<ReviewPage />} />
                <Route path="gate" element={<GatePage />} />
                <Route path="classes" element={<Navigate to="/classes/intent" replace />} />
                <Route path="classes/:name" element={<ClassesPage />} />
                <Route path="agents" element={<AgentsPage />} />
                <Route path="notices" element={<NoticesPage />} />
                <Route path="journal" element={<JournalPage />} />
                <Route path="settings" element={<SettingsPage />} />
                <Route path="*" element={<MissingPage />} />
            </Route>
        </Routes>
    );
}
