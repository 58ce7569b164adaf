"""Compares thumbnails of the test set with those of other programs, and draws a contact sheet.

    CALOTYPE_THUMBS_OUT=/tmp/thumbs cargo nextest run -p calotype-media what_others_can_decode
    pip install pyvips-binary pyvips pillow scikit-image
    python3 media/examples/ssim.py ../shared/media /tmp/thumbs [SHEET.png]

The reference is libvips (which Immich uses), else Pillow, else ffmpeg, else LibRaw's dcraw_emu:
the same size, sRGB, translucent pixels over white.
SSIM is that of Wang and others (2004) on luminance, as scikit-image has it.
Both sides are compared with the reference before it is packed: our thumbnail, and the reference
packed as WebP of the same quality, which tells how much of the loss is WebP's own.
Prints the worst, and the share that is at or above 0.97 or no more than 0.01 below the latter.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy
import pyvips
from PIL import Image
from skimage.metrics import structural_similarity

GOAL = 0.97
SLACK = 0.01
QUALITY = 80
WORST_SHOWN = 25
CELL_PX = 160
SIDE_PX_MIN = 16


def by_vips(source, width, height):
    image = pyvips.Image.thumbnail(str(source), width, height=height, size="force")
    if image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    if image.bands == 1:
        image = image.bandjoin([image, image])
    return image.cast("uchar").numpy()[:, :, :3]


def over_white(image):
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def by_pillow(source, width, height):
    return shrunk(Image.open(source), width, height)


def by_ffmpeg(source, width, height):
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-frames:v", "1", "-f", "image2pipe"]
    frame = subprocess.run([*command, "-c:v", "png", "-"], capture_output=True, check=True)
    return shrunk(Image.open(io.BytesIO(frame.stdout)), width, height)


def by_libraw(source, width, height):
    picture = subprocess.run(["dcraw_emu", "-w", "-Z", "-", str(source)], capture_output=True)
    return shrunk(Image.open(io.BytesIO(picture.stdout)), width, height)


def shrunk(image, width, height):
    return numpy.asarray(over_white(image).resize((width, height), Image.LANCZOS))


def reference(source, width, height):
    for way in (by_vips, by_pillow, by_ffmpeg, by_libraw):
        try:
            return way.__name__, way(source, width, height)
        except Exception:
            continue
    return None


def packed(pixels):
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "WEBP", quality=QUALITY)
    return numpy.asarray(Image.open(data).convert("RGB"))


def similarity(one, other, window):
    return structural_similarity(
        luminance(one), luminance(other), data_range=255, win_size=window
    )


def luminance(pixels):
    return pixels.astype(float) @ numpy.array([0.2126, 0.7152, 0.0722])


def main():
    media, thumbs = Path(sys.argv[1]), Path(sys.argv[2])
    scores, alone, cells = [], [], []
    for file in sorted(thumbs.glob("*.webp")):
        name = file.name.removesuffix(".webp").replace("__", "/")
        ours = over_white(Image.open(file))
        cells.append(ours)
        width, height = ours.size
        found = reference(media / name, width, height)
        if found is None or min(width, height) < SIDE_PX_MIN:
            alone.append(name)
            continue
        way, other = found
        window = min(7, min(width, height) // 2 * 2 - 1)
        score = similarity(numpy.asarray(ours), other, window)
        scores.append((score, similarity(packed(other), other, window), name, way))
    scores.sort()
    for score, own, name, way in scores[:WORST_SHOWN]:
        print(f"{score:.4f} (reference as WebP {own:.4f}) {name} ({way})")
    good = sum(score >= GOAL or score >= own - SLACK for score, own, _, _ in scores)
    print(f"{good} of {len(scores)} good; median {scores[len(scores) // 2][0]:.4f}")
    print("without a reference, or too small:", ", ".join(alone))
    if len(sys.argv) > 3:
        sheet(cells, sys.argv[3])


def sheet(cells, target):
    columns = 20
    rows = -(-len(cells) // columns)
    image = Image.new("RGB", (columns * CELL_PX, rows * CELL_PX), (90, 90, 90))
    for i, cell in enumerate(cells):
        cell.thumbnail((CELL_PX - 4, CELL_PX - 4))
        image.paste(cell, (i % columns * CELL_PX, i // columns * CELL_PX))
    image.save(target)


if __name__ == "__main__":
    main()
