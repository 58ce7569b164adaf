// socket.io-client against a server: uploads a file, describes it, puts it into a stack and saves the
// settings, and waits until the server tells of each.
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
const heard = (event) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${event} did not come`)), WAIT_MS);
    socket.once(event, (...words) => {
      clearTimeout(timer);
      resolve(words);
    });
    socket.once('connect_error', reject);
  });
const told = async (event) => (await heard(event))[0];

const version = told('on_server_version');
const success = told('on_upload_success');
socket.connect();
const { major } = await version;

const headers = { Authorization: `Bearer ${token}` };
const upload = async (...bytes) => {
  const form = new FormData();
  form.set('fileCreatedAt', '2024-01-02T03:04:05.000Z');
  form.set('fileModifiedAt', '2024-01-02T03:04:05.000Z');
  form.set('assetData', new Blob(bytes), basename(file));
  const answer = await fetch(`${base}/api/assets`, { method: 'POST', headers, body: form });
  return (await answer.json()).id;
};
const send = (method, path, body) =>
  fetch(`${base}/api/${path}`, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
const bytes = await readFile(file);
const id = await upload(bytes);
const asset = await success;
// At once: what is told of must be there.
const thumbnail = await fetch(`${base}/api/assets/${asset.id}/thumbnail`, { headers });
const update = told('on_asset_update');
await send('PUT', `assets/${asset.id}`, { description: 'a falcon' });
const updated = await update;
const stacked = heard('on_asset_stack_update');
const made = await send('POST', 'stacks', { assetIds: [id, await upload(bytes, 'and more')] });
const stackWords = made.status === 201 ? (await stacked).length : `HTTP ${made.status}`;
const saved = heard('on_config_update');
const config = await (await fetch(`${base}/api/system-config`, { headers })).json();
config.theme.customCss = 'p { color: black }';
const put = await send('PUT', 'system-config', config);
const configWords = put.status === 200 ? (await saved).length : `HTTP ${put.status}`;
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
    stackWords,
    configWords,
  }),
);
