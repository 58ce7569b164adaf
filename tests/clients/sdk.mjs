// Immich's own SDK against a server: log in, upload, read the timeline, a thumbnail and the facts back.
// Arguments: base URL, e-mail, password, and one or more files. Prints one line of JSON.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

const sdk = await import(`${process.env.CALOTYPE_TEST_CLIENTS}/node_modules/@immich/sdk/build/index.js`);
const [base, email, password, ...files] = process.argv.slice(2);
const TRIES_MAX = 600;
const PAUSE_MS = 100;

sdk.init({ baseUrl: `${base}/api`, apiKey: '' });
const login = await sdk.login({ loginCredentialDto: { email, password } });
sdk.defaults.headers = { Authorization: `Bearer ${login.accessToken}` };
const me = await sdk.getMyUser();
const features = await sdk.getServerFeatures();

const uploaded = [];
for (const file of files) {
  const assetData = new File([await readFile(file)], basename(file));
  const answer = await sdk.uploadAsset({
    assetMediaCreateDto: {
      assetData,
      fileCreatedAt: '2024-01-02T03:04:05.000Z',
      fileModifiedAt: '2024-01-02T03:04:05.000Z',
    },
  });
  uploaded.push(answer);
}

let thumbnailBytes = 0;
for (const { id } of uploaded) {
  for (let tries = 0; ; tries++) {
    try {
      const picture = await sdk.viewAsset({ id, size: sdk.AssetMediaSize.Thumbnail });
      thumbnailBytes += picture.size;
      break;
    } catch (error) {
      if (tries >= TRIES_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

const buckets = await sdk.getTimeBuckets({ visibility: sdk.AssetVisibility.Timeline });
const shown = [];
for (const { timeBucket } of buckets) {
  const bucket = await sdk.getTimeBucket({ timeBucket, visibility: sdk.AssetVisibility.Timeline });
  shown.push(...bucket.id);
}
const facts = [];
for (const { id } of uploaded) {
  const asset = await sdk.getAssetInfo({ id });
  facts.push({ id: asset.id, name: asset.originalFileName, make: asset.exifInfo.make });
}
const statistics = await sdk.getAssetStatistics({});
let refusal;
try {
  await sdk.getAssetInfo({ id: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d' });
} catch (error) {
  refusal = { status: error.status, message: error.data?.message };
}
console.log(
  JSON.stringify({ me: me.email, trash: features.trash, uploaded, thumbnailBytes, shown, facts, statistics, refusal }),
);
