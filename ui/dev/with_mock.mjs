// `node dev/with_mock.mjs COMMAND ARGS...` runs it with TAGOUT_URL and TAGOUT_TOKEN of a fresh mock.
import { spawn } from 'node:child_process';

import { startMock } from './mock.mjs';

const mock = await startMock({ quiet: true, empty: process.env.MOCK_EMPTY === '1' });
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, TAGOUT_URL: mock.url, TAGOUT_TOKEN: mock.token } });
child.on('exit', (code) => {
    mock.close();
    process.exit(code ?? 1);
});
