// `make FILE FOLDER`: writes a picture in each format that is compared, and ends. Otherwise:
// Makes preview, thumbnail and thumbhash of each file named on standard input, on one thread, and answers
// with processor milliseconds and the peak memory. With a folder as second argument it keeps what it made.
import { createInterface } from 'node:readline';
import { basename, join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { rgbaToThumbHash } from 'thumbhash';

sharp.concurrency(1);
sharp.cache(false);
// `wide`: 16 bits a channel on the way, as Immich runs it by default.
const wide = process.argv[2] === 'wide';
const keep = process.argv[3];

async function develop(file) {
  // One decode to pixels serves all three, as Immich does it.
  const opened = sharp(file).rotate().pipelineColorspace(wide ? 'rgb16' : 'srgb');
  const { data, info } = await opened.raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  const from = () => sharp(data, { raw }).pipelineColorspace(wide ? 'rgb16' : 'srgb');
  const preview = await from()
    .resize(1440, 1440, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 80, chromaSubsampling: '4:2:0' })
    .toBuffer();
  const thumbnail = await from()
    .resize(250, 250, { fit: 'outside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer();
  const small = await from()
    .resize(100, 100, { fit: 'inside', withoutEnlargement: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  rgbaToThumbHash(small.info.width, small.info.height, small.data);
  if (keep) {
    await writeFile(join(keep, `${basename(file)}.preview.jpg`), preview);
    await writeFile(join(keep, `${basename(file)}.thumb.webp`), thumbnail);
  }
}

async function make(file, folder) {
  const from = () => sharp(file).rotate();
  await from().png({ compressionLevel: 6 }).toFile(join(folder, 'made.png'));
  await from().webp({ quality: 85 }).toFile(join(folder, 'made.webp'));
  await from().gif({ effort: 1 }).toFile(join(folder, 'made.gif'));
  await from().tiff({ compression: 'lzw', predictor: 'horizontal' }).toFile(join(folder, 'made.tiff'));
  await from().avif({ quality: 60, effort: 0 }).toFile(join(folder, 'made.avif'));
}

if (process.argv[2] === 'make') {
  await make(process.argv[3], process.argv[4]);
  process.exit(0);
}

for await (const file of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  await develop(file);
  const used = process.cpuUsage(before);
  const cpu_ms = (used.user + used.system) / 1000;
  console.log(JSON.stringify({ cpu_ms, peak_kb: process.resourceUsage().maxRSS }));
}
