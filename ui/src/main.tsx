import './styles/mantine';
import './styles/tokens.css';

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';

import { ApiError } from './api/client';
import { goLive } from './api/live';
import { App } from './App';
import { theme, variables } from './theme';

// The stream keeps the cache fresh; a read is tried again only when the server could not be reached.
const cache = new QueryClient({
    defaultOptions: {
        queries: {
            staleTime: 5_000,
            retry: (failures, error) => failures < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503),
            retryDelay: (failures) => 500 * 2 ** failures,
            refetchOnWindowFocus: false,
        },
    },
});

goLive(cache);

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
    <StrictMode>
        <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
            <QueryClientProvider client={cache}>
                <BrowserRouter>
                    <App />
                </BrowserRouter>
                <Notifications position="bottom-right" limit={3} autoClose={6000} />
            </QueryClientProvider>
        </MantineProvider>
    </StrictMode>,
);
