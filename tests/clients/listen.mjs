// socket.io-client against a server: says when it is connected, and when it was cut off.
// Arguments: base URL, header's name, header's value, and a file whose presence says that it is connected.
// Prints one line of JSON.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.CALOTYPE_TEST_CLIENTS}/node_modules/`);
const { io } = require('socket.io-client');
const [base, name, value, connected] = process.argv.slice(2);
const WAIT_MS = 60_000;

const socket = io(base, {
  path: '/api/socket.io',
  transports: ['websocket'],
  reconnection: false,
  extraHeaders: { [name]: value },
});
const timer = setTimeout(() => {
  console.log(JSON.stringify({ cutOff: false }));
  process.exit(0);
}, WAIT_MS);
socket.once('on_server_version', () => writeFile(connected, ''));
socket.once('disconnect', (reason) => {
  clearTimeout(timer);
  console.log(JSON.stringify({ cutOff: true, reason }));
});
