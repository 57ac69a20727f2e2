"""Makes the benchmark's product: a whole Sentinel-2 L1C SAFE in a zip, about 700 MB, always with the same pixels.

    product.py METADATA.zip OUT.zip

The metadata is that of a real product (METADATA.zip, a complete SAFE whose images are small); its images are replaced by ones
of their true sizes, laid out as ESA lays them out: LRCP, one layer, five resolutions, reversible 5-3 wavelet, precincts of 64 x 64,
code blocks of 4 x 4, tiles of 1024 (10 m), 640 (20 m) and 192 pixels (60 m), 15 bits a sample, placed by GML in the file. Fields
over fractal relief with the sensor's noise make about as many bits a pixel as real bands have. A slanted edge of the swath has no data.
"""

import re
import sys
import tempfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.transform import from_origin

EXTENT_M = 109800
TILE = {10: 1024, 20: 640, 60: 192}
BANDS = {  # resolution in metres; mean, contrast and noise in stored units
    "B01": (60, 1500, 120, 4), "B02": (10, 1100, 260, 4.5), "B03": (10, 1100, 300, 4.5), "B04": (10, 1000, 420, 5), "B05": (20, 1300, 420, 7),
    "B06": (20, 2200, 700, 9), "B07": (20, 2600, 850, 10), "B08": (10, 2500, 800, 8), "B8A": (20, 2700, 900, 10), "B09": (60, 900, 250, 6),
    "B10": (60, 20, 5, 1), "B11": (20, 2200, 700, 9), "B12": (20, 1500, 550, 8),
}
STRIP_M = 10980  # rows are made in tenths of the extent


def landscape(resolution):
    """A function from metres below the top to rows of about -1..1: octaves of bilinear noise, and a level for each field."""
    rng = np.random.default_rng(7)  # one landscape for all bands
    cells = [20480, 5120, 1280, 320, 80]
    grids = [rng.normal(0, 0.5, (EXTENT_M // c + 3, EXTENT_M // c + 3)).astype("float32") for c in cells]
    fields = rng.normal(0, 0.6, (300, 210)).astype("float32")
    x = (np.arange(EXTENT_M // resolution) + 0.5) * resolution

    def rows(top):
        y = top + (np.arange(STRIP_M // resolution) + 0.5) * resolution
        out = np.zeros((len(y), len(x)), "float32")
        for c, grid in zip(cells, grids):
            iy, ix = (y / c).astype(int), (x / c).astype(int)
            fy, fx = (y / c - iy).astype("float32")[:, None], (x / c - ix).astype("float32")[None, :]
            above = grid[iy][:, ix] * (1 - fx) + grid[iy][:, ix + 1] * fx
            below = grid[iy + 1][:, ix] * (1 - fx) + grid[iy + 1][:, ix + 1] * fx
            out += (above * (1 - fy) + below * fy) * (c / 20480) ** 0.5
        out += fields[(y // 370).astype(int) % 300][:, (x // 530).astype(int) % 210]
        return out, (x[None, :] + 0.3 * y[:, None]) > 0.1 * EXTENT_M
    return rows


def counts(name, resolution, rows, grain, top):
    _, mean, contrast, noise = BANDS[name]
    level, seen = rows(top)
    values = mean + contrast * level + grain.normal(0, noise, level.shape).astype("float32")
    return np.where(seen, np.clip(values, 1, 32767), 0).astype("uint16")


def write_image(name, crs, west, north, out):
    """Writes one band, or the true colour image, as JPEG 2000."""
    visual = name == "TCI"
    resolution = 10 if visual else BANDS[name][0]
    side = EXTENT_M // resolution
    sources = ["B04", "B03", "B02"] if visual else [name]
    rows = landscape(resolution)
    grains = [np.random.default_rng(100 + list(BANDS).index(s)) for s in sources]
    profile = dict(driver="GTiff", width=side, height=side, count=len(sources), dtype="uint8" if visual else "uint16", crs=crs,
                   transform=from_origin(west, north, resolution, resolution))
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as work:
        plain = Path(work) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as f:
            for top in range(0, EXTENT_M, STRIP_M):
                window = ((top // resolution, (top + STRIP_M) // resolution), (0, side))
                for i, (source, grain) in enumerate(zip(sources, grains)):
                    values = counts(source, resolution, rows, grain, top)
                    if visual:  # ESA's: reflectance to 0.36 or so becomes 1..255
                        values = np.where(values > 0, np.clip(values / 14.0, 1, 255), 0).astype("uint8")
                    f.write(values, i + 1, window=window)
        options = {} if visual else {"NBITS": 15}
        rasterio.shutil.copy(plain, out, driver="JP2OpenJPEG", QUALITY=100, REVERSIBLE="YES", YCC="NO", RESOLUTIONS=5, PROGRESSION="LRCP",
                             BLOCKXSIZE=TILE[resolution], BLOCKYSIZE=TILE[resolution], CODEBLOCK_WIDTH=4, CODEBLOCK_HEIGHT=4,
                             PRECINCTS="{64,64},{64,64},{64,64},{64,64},{64,64}", GeoJP2="NO", GMLJP2="YES", JPX="NO", **options)
    return out


def main():
    metadata, out = map(Path, sys.argv[1:])
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(metadata) as template, tempfile.TemporaryDirectory(dir=out.parent) as work, ProcessPoolExecutor(2) as pool:
        names = template.namelist()
        tile = template.read(next(n for n in names if n.endswith("/MTD_TL.xml"))).decode()
        crs = re.search(r"<HORIZONTAL_CS_CODE>(.*?)<", tile)[1]
        west, north = float(re.search(r"<ULX>(.*?)<", tile)[1]), float(re.search(r"<ULY>(.*?)<", tile)[1])
        images = {n: re.search(r"_(B\d[\dA]|TCI)\.jp2$", n)[1] for n in names if "/IMG_DATA/" in n and n.endswith(".jp2")}
        made = {n: pool.submit(write_image, band, crs, west, north, Path(work) / f"{band}.jp2") for n, band in images.items()}
        part = out.with_suffix(".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as product:
            for n in names:
                if n in made:
                    product.write(made[n].result(), n)  # stored, as ESA's zips keep their images
                    print(f"{images[n]} {product.getinfo(n).file_size / 1e6:.1f} MB", flush=True)
                else:
                    product.writestr(template.getinfo(n), template.read(n), zipfile.ZIP_DEFLATED)
        part.rename(out)


if __name__ == "__main__":
    main()
