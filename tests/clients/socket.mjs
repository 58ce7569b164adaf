// socket.io-client against a server: uploads a file and describes it, and waits until the
// server tells of both.
// Arguments: base URL, access token, file. Prints one line of JSON.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';

const require = createRequire(`${process.env.CALOTYPE_TEST_CLIENTS}/node_modules/`);
const { io } = require('socket.io-client');
const [base, token, file] = process.argv.slice(2);
const WAIT_MS = 60_000;

const socket = io(base, {
  path: '/api/socket.io',
  transports: ['websocket'],
  reconnection: false,
  autoConnect: false,
  extraHeaders: { Authorization: `Bearer ${token}` },
});
const told = (event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${event} did not come`)), WAIT_MS);
    socket.once(event, (data) => {
      clearTimeout(timer);
      resolve(data);
    });
    socket.once('connect_error', reject);
  });

const version = told('on_server_version');
const success = told('on_upload_success');
socket.connect();
const { major } = await version;

const form = new FormData();
form.set('fileCreatedAt', '2024-01-02T03:04:05.000Z');
form.set('fileModifiedAt', '2024-01-02T03:04:05.000Z');
form.set('assetData', new Blob([await readFile(file)]), basename(file));
const headers = { Authorization: `Bearer ${token}` };
const answer = await fetch(`${base}/api/assets`, { method: 'POST', headers, body: form });
const { id } = await answer.json();
const asset = await success;
// At once: what is told of must be there.
const thumbnail = await fetch(`${base}/api/assets/${asset.id}/thumbnail`, { headers });
const update = told('on_asset_update');
await fetch(`${base}/api/assets/${asset.id}`, {
  method: 'PUT',
  headers: { ...headers, 'Content-Type': 'application/json' },
  body: JSON.stringify({ description: 'a falcon' }),
});
const updated = await update;
socket.close();
console.log(
  JSON.stringify({
    major,
    id,
    told: asset.id,
    thumbhash: asset.thumbhash,
    thumbnail: thumbnail.status,
    updated: updated.id,
    description: updated.exifInfo?.description,
  }),
);
