"""Compares the thumbnails of the whole test set with those of other programs.

    CALOTYPE_THUMBS_OUT=/tmp/thumbs cargo nextest run --workspace -E 'test(what_others_can_decode)'
    pip install -r media/examples/ssim.txt
    python3 media/examples/ssim.py ../shared/media /tmp/thumbs media/tests/it/likeness.csv [SHEETS]

The reference is made by libvips (which Immich uses) where it reads the file, else by libheif (HEIC), LibRaw
(camera RAW) or ffmpeg: the same size, sRGB, translucent pixels over white. Of a film it is that keyframe of the
first ones which is most like ours, as other programs choose by other rules.
SSIM is that of Wang and others (2004) on luminance, as scikit-image has it.
Both sides are compared with the reference before it is packed: our thumbnail, and the reference
packed as WebP of the same quality, which tells how much of the loss is WebP's own.

Writes for each file the program, both figures and a small picture of the reference, 12 x 12 in grey, as
hexadecimal digits. The test `what_others_can_decode` compares each thumbnail with that small picture.
Prints what is below 0.97 and more than 0.01 below the reference's own WebP, and with SHEETS, a folder, draws ours
beside the reference, worst first.
"""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy
import pillow_heif
import pyvips
import rawpy
from PIL import Image, ImageDraw, ImageOps
from skimage.metrics import structural_similarity

GOAL = 0.97
SLACK = 0.01
QUALITY = 80
SIDE_PX_MIN = 16
SMALL_PX = 12
KEYFRAMES = 8
SECONDS_MAX = 60
CELL_PX = 200
ROWS = 10
PAIRS = 4
# HDR films and stills are mapped by the operator that the settings name, to the range of a screen.
TONE_MAP = (
    "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=full,"
)
HDR = ("smpte2084", "arib-std-b67")
RAW = {".dng", ".cr2", ".cr3", ".crw", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"}
RAW |= {".x3f", ".mrw", ".nrw", ".sr2", ".srf", ".kdc", ".dcr", ".3fr", ".mef", ".iiq", ".erf"}


def over_white(image):
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def shrunk(image, width, height):
    return numpy.asarray(over_white(image).resize((width, height), Image.Resampling.LANCZOS))


def by_libvips(source, width, height):
    image = pyvips.Image.thumbnail(
        str(source), width, height=height, size="force", export_profile="srgb"
    )
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    image = image.colourspace("srgb").cast("uchar")
    if image.bands == 1:
        image = image.bandjoin([image, image])
    return [image.numpy()[:, :, :3]]


def by_libheif(source, width, height):
    image = pillow_heif.open_heif(source, convert_hdr_to_8bit=True).to_pillow()
    return [shrunk(image, width, height)]


def by_libraw(source, width, height):
    if source.suffix.lower() not in RAW:
        raise ValueError("no RAW")
    found = []
    with rawpy.imread(str(source)) as raw:
        try:
            inside = raw.extract_thumb()
            if inside.format == rawpy.ThumbFormat.JPEG:
                image = ImageOps.exif_transpose(Image.open(io.BytesIO(inside.data)))
                turned = {3: 180, 5: 90, 6: 270}.get(raw.sizes.flip, 0)
                found.append(shrunk(image, width, height))
                found.append(shrunk(image.rotate(turned, expand=True), width, height))
        except rawpy.LibRawError:
            pass
        if not found:
            found.append(shrunk(Image.fromarray(raw.postprocess(use_camera_wb=True)), width, height))
    return found


def probed(source):
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_streams", str(source)]
    streams = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    return next(it for it in streams if it["codec_type"] == "video")


def by_ffmpeg(source, width, height):
    facts = probed(source)
    is_film = facts.get("duration") is not None or int(facts.get("nb_frames", "1")) > 1
    length = float(facts.get("duration", 0) or 0)
    tone_map = TONE_MAP if facts.get("color_transfer") in HDR else ""
    found = []
    # From the beginning, and from where a film is usually looked at.
    for start in {0.0, min(length / 10, 3.0)}:
        keyframes = ["-skip_frame", "nokey", "-ss", f"{start:.3f}"] if is_film else []
        command = ["ffmpeg", "-v", "error", "-nostdin", "-noaccurate_seek", *keyframes]
        command += ["-i", str(source), "-map", "0:V:0", "-frames:v", str(KEYFRAMES)]
        command += ["-fps_mode", "passthrough"]
        command += ["-vf", f"{tone_map}scale={width}:{height}:flags=lanczos,format=rgb24"]
        command += ["-f", "rawvideo", "-"]
        output = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX).stdout
        size = width * height * 3
        for first in range(0, len(output) - size + 1, size):
            frame = numpy.frombuffer(output[first : first + size], dtype=numpy.uint8)
            found.append(frame.reshape((height, width, 3)))
    if not found:
        raise ValueError("no picture")
    return found


def references(source, width, height):
    for way in (by_libvips, by_libheif, by_libraw, by_ffmpeg):
        try:
            if way is by_libvips and source.suffix.lower() in RAW:
                continue
            return way.__name__.removeprefix("by_"), way(source, width, height)
        except Exception:  # each program has errors of its own
            continue
    return None


def packed(pixels):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "WEBP", quality=QUALITY)
    return numpy.asarray(Image.open(data).convert("RGB"))


def similarity(one, other):
    window = min(7, (min(one.shape[:2]) - 1) // 2 * 2 + 1)
    return structural_similarity(
        luminance(one), luminance(other), data_range=255, win_size=window
    )


def luminance(pixels):
    return pixels.astype(float) @ numpy.array([0.2126, 0.7152, 0.0722])


def small(pixels):
    """Means over a grid of 12 x 12; each cell has at least one pixel."""
    grey = luminance(pixels)
    height, width = grey.shape
    cells = []
    for row in range(SMALL_PX):
        top, bottom = row * height // SMALL_PX, max((row + 1) * height // SMALL_PX, 1)
        top = min(top, height - 1)
        for column in range(SMALL_PX):
            left, right = column * width // SMALL_PX, max((column + 1) * width // SMALL_PX, 1)
            left = min(left, width - 1)
            cell = grey[top : max(bottom, top + 1), left : max(right, left + 1)]
            cells.append(int(round(cell.mean())))
    return "".join(f"{it:02x}" for it in cells)


def main():
    media, thumbs, target = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    rows, pairs, alone, unlike = [], [], [], []
    for file in sorted(thumbs.glob("*.webp")):
        name = file.name.removesuffix(".webp").replace("__", "/")
        ours = numpy.asarray(over_white(Image.open(file)))
        height, width = ours.shape[:2]
        found = references(media / name, width, height)
        if found is None:
            alone.append(name)
            continue
        way, others = found
        if min(width, height) < SIDE_PX_MIN:
            # Too small for windows of SSIM: only what it looks like from afar.
            other, score, own = others[0], None, None
        else:
            score, other = max(((similarity(ours, it), it) for it in others), key=lambda it: it[0])
            own = similarity(packed(other), other)
            pairs.append((score, name, ours, other))
            if score < GOAL and score < own - SLACK:
                unlike.append((score, own, name, way))
        figures = ["" if it is None else f"{it:.4f}" for it in (score, own)]
        rows.append([name, way, *figures, small(other)])
    with target.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["path", "by", "ssim", "ssim_of_reference", "small"])
        writer.writerows(rows)
    for score, own, name, way in sorted(unlike):
        print(f"{score:.4f} (reference as WebP {own:.4f}) {name} ({way})")
    scores = sorted(score for score, *_ in pairs)
    at_goal = sum(it >= GOAL for it in scores)
    print(
        f"{len(scores)} compared, {at_goal} at or above {GOAL}, {len(unlike)} unlike; "
        f"median {scores[len(scores) // 2]:.4f}; {len(rows) - len(scores)} too small for SSIM"
    )
    print("without a reference:", ", ".join(alone) or "none")
    if len(sys.argv) > 4:
        sheets(sorted(pairs, key=lambda it: it[0]), Path(sys.argv[4]))


def sheets(pairs, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, len(pairs), PAIRS * ROWS)):
        sheet = Image.new("RGB", (PAIRS * 2 * CELL_PX, ROWS * (CELL_PX + 14)), (90, 90, 90))
        draw = ImageDraw.Draw(sheet)
        for place, (score, name, *both) in enumerate(pairs[first : first + PAIRS * ROWS]):
            x, y = place % PAIRS * 2 * CELL_PX, place // PAIRS * (CELL_PX + 14)
            for side, pixels in enumerate(both):
                image = Image.fromarray(pixels)
                image.thumbnail((CELL_PX - 4, CELL_PX - 4))
                sheet.paste(image, (x + side * CELL_PX, y))
            draw.text((x, y + CELL_PX - 2), f"{score:.3f} {name[-44:]}")
        sheet.save(folder / f"sheet-{number:02}.png")


if __name__ == "__main__":
    main()
