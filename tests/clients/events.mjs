// socket.io-client against a server: hears whatever the server tells, until its session is over or the server
// closes it.
// Arguments: base URL, access token, a file to make when it is connected.
// Prints one line of JSON for each event: its name and its words.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.CALOTYPE_TEST_CLIENTS}/node_modules/`);
const { io } = require('socket.io-client');
const [base, token, connected] = process.argv.slice(2);

const socket = io(base, {
  path: '/api/socket.io',
  transports: ['websocket'],
  reconnection: false,
  extraHeaders: { Authorization: `Bearer ${token}` },
});
socket.onAny(async (event, ...words) => {
  console.log(JSON.stringify({ event, words }));
  if (event === 'on_server_version') {
    await writeFile(connected, '');
  }
});
socket.on('connect_error', (error) => {
  throw error;
});
socket.on('disconnect', () => process.exit(0));
