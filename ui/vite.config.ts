import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `npm run dev` forwards the API to a running server: the real one, or `npm run mock`.
const server = process.env.TAGOUT_URL ?? 'http://127.0.0.1:8399';

export default defineConfig({
    plugins: [react()],
    server: {
        host: '127.0.0.1',
        port: 5173,
        proxy: Object.fromEntries(['/v1', '/metrics', '/-'].map((path) => [path, { target: server, changeOrigin: true }])),
    },
    build: {
        target: 'es2022',
        // Everything is a file of its own: data: URLs would need more in the content security policy.
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
        rollupOptions: {
            output: {
                manualChunks: (id: string) =>
                    /node_modules\/(react|react-dom|scheduler|react-router)\//.test(id) ? 'react' : undefined,
            },
        },
    },
    test: { environment: 'node', include: ['src/**/*.test.ts', 'dev/**/*.test.mjs'] },
});
