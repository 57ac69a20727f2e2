#!/usr/bin/env python3
"""Makes a full-size IW GRD product of real annotation and speckle, and a height model of hills around it.

usage: product.py SAFE.zip FOLDER: the zip is a product whose images are empty
"""
import math
import pathlib
import re
import sys
import zipfile

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window


def image(path, lines, samples, mean, rng):
    side = 2048
    patch = rng.gamma(4.4, mean / 4.4, (side, side))  # power
    patch = np.sqrt(patch).round().astype("uint16")
    across = math.ceil(samples / side)
    with rasterio.open(path, "w", driver="GTiff", width=samples, height=lines, count=1, dtype="uint16", tiled=False, blockysize=1) as d:
        d.update_tags(TIFFTAG_IMAGEDESCRIPTION="Sentinel-1A IW GRD HR L1")
        for top in range(0, lines, side):
            high = min(side, lines - top)
            strip = np.concatenate([np.roll(patch, 37 * k + top // side, axis=0) for k in range(across)], axis=1)[:high, :samples]
            strip[:, :70] = 0
            strip[:, -90:] = 0
            d.write(strip, 1, window=Window(0, top, samples, high))


def heights(folder, west, south, east, north):
    folder.mkdir(exist_ok=True)
    n = 3600
    for lat in range(south, north):
        for lon in range(west, east):
            path = folder / f"Copernicus_DSM_COG_10_N{lat:02d}_00_E{lon:03d}_00_DEM.tif"
            y, x = np.mgrid[0:n, 0:n]
            x, y = lon + x / n, lat + 1 - y / n
            h = 250 + 600 * np.sin(x * 55) ** 2 * np.sin(y * 71) ** 2 + 60 * np.sin(x * 611 + y * 340) + 0.1 * np.sin(x * 9000) * np.sin(y * 9000)
            with rasterio.open(path, "w", driver="GTiff", width=n, height=n, count=1, dtype="float32", crs="EPSG:4326", tiled=True, blockxsize=512, blockysize=512,
                               compress="deflate", predictor=3, transform=from_origin(lon - 0.5 / n, lat + 1 + 0.5 / n, 1 / n, 1 / n)) as d:
                d.write(h.astype("float32"), 1)


def main(source, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as z:
        z.extractall(folder)
    safe = next(folder.glob("*.SAFE"))
    text = next((safe / "annotation").glob("*-vv-*.xml")).read_text()
    samples, lines = (int(re.search(f"<numberOf{w}>(\\d+)<", text)[1]) for w in ("Samples", "Lines"))
    rng = np.random.default_rng(1)
    for path in sorted((safe / "measurement").glob("*.tiff")):
        image(path, lines, samples, 20000 if "-vv-" in path.name else 6000, rng)
    points = [(float(a), float(b)) for a, b in re.findall(r"<latitude>([^<]*)</latitude>\s*<longitude>([^<]*)<", text)]
    lats, lons = [p[0] for p in points], [p[1] for p in points]
    heights(folder / "dem", math.floor(min(lons) - 0.1), math.floor(min(lats) - 0.1), math.ceil(max(lons) + 0.1), math.ceil(max(lats) + 0.1))
    print(safe, lines, "x", samples)


main(*sys.argv[1:])
