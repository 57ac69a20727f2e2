"""Makes the benchmark's scenes: a synthetic Sentinel-2-like tile of 10980 x 10980 pixels in EPSG:32631, always the same, and four
of 5490 x 5490 over it whose holes are elsewhere in each.

    scene.py DIR

Fields over fractal relief plus sensor noise, so that the bands compress about as real ones do (ratio 1.5 to 2). Writes
DIR/scene with B02, B03, B04, B08, their true colour picture of 8 bits, and a STAC item that names them; DIR/cloudy1 to 4 with
pictures of 8 bits of which half is nodata, in patches of some kilometres.
"""

import json
import sys
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDE, STRIP, WEST, NORTH, CLOUDY = 10980, 549, 300000, 4900020, 4
BANDS = {"B02": ("blue", 900, 260, 30), "B03": ("green", 1100, 300, 32), "B04": ("red", 1000, 420, 35), "B08": ("nir", 3000, 900, 60)}


def strip(rng_grids, fields, top, rows):
    """Values of about -1..1 for some rows: octaves of bilinear noise, and a level for each field."""
    out = np.zeros((rows, SIDE), "float32")
    for cell, grid in rng_grids:
        y, x = (np.arange(top, top + rows) / cell).astype("float32"), (np.arange(SIDE) / cell).astype("float32")
        iy, ix = y.astype(int), x.astype(int)
        fy, fx = (y - iy)[:, None], (x - ix)[None, :]
        above = grid[iy][:, ix] * (1 - fx) + grid[iy][:, ix + 1] * fx
        below = grid[iy + 1][:, ix] * (1 - fx) + grid[iy + 1][:, ix + 1] * fx
        out += (above * (1 - fy) + below * fy) * (cell / 2048) ** 0.5
    iy, ix = (np.arange(top, top + rows) // 37) % fields.shape[0], (np.arange(SIDE) // 53) % fields.shape[1]
    return out + fields[iy][:, ix]


def write_item(folder, name, collection, assets):
    (folder / "item.json").write_text(json.dumps({
        "type": "Feature", "stac_version": "1.1.0", "id": name, "collection": collection, "geometry": None, "links": [],
        "properties": {"datetime": "2024-06-01T00:00:00Z"}, "assets": assets}))


def bands(out):
    profile = dict(driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="uint16", crs="EPSG:32631", nodata=0,
                   transform=from_origin(WEST, NORTH, 10, 10), tiled=True, blockxsize=512, blockysize=512)
    assets = {}
    for number, (name, (common, mean, contrast, noise)) in enumerate(BANDS.items()):
        rng = np.random.default_rng(7)  # one landscape for all bands
        grids = [(c, rng.normal(0, 0.5, (SIDE // c + 3, SIDE // c + 3)).astype("float32")) for c in (2048, 512, 128, 32, 8)]
        fields = rng.normal(0, 0.6, (300, 210)).astype("float32")
        grain = np.random.default_rng(100 + number)
        with rasterio.open(out / f"{name}.tif", "w", **profile) as f:
            for top in range(0, SIDE, STRIP):
                values = mean + contrast * strip(grids, fields, top, STRIP) + grain.normal(0, noise, (STRIP, SIDE))
                f.write(np.clip(values, 1, 20000).astype("uint16"), 1, window=((top, top + STRIP), (0, SIDE)))
        assets[name] = {"href": f"{name}.tif", "type": "image/tiff; application=geotiff", "roles": ["data", "reflectance"],
                        "raster:scale": 0.0001, "raster:offset": 0, "bands": [{"name": name, "eo:common_name": common}]}
    return assets


def pictures(folder, out):
    """The true colours of the bands in a folder: at full size there, at half size with holes in the others."""
    sources = [rasterio.open(folder / f"{name}.tif") for name in ("B04", "B03", "B02")]
    profile = dict(driver="GTiff", width=SIDE, height=SIDE, count=3, dtype="uint8", crs="EPSG:32631", nodata=0, interleave="pixel",
                   transform=from_origin(WEST, NORTH, 10, 10), tiled=True, blockxsize=512, blockysize=512)
    half = profile | dict(width=SIDE // 2, height=SIDE // 2, transform=from_origin(WEST, NORTH, 20, 20))
    patches = [[(c, np.random.default_rng(20 + n).normal(0, 1, (SIDE // c + 3, SIDE // c + 3)).astype("float32")) for c in (512, 128)] for n in range(CLOUDY)]
    none = np.zeros((300, 210), "float32")
    cloudy = [rasterio.open(out / f"cloudy{n + 1}" / "visual.tif", "w", **half) for n in range(CLOUDY)]
    step = 2 * STRIP
    with rasterio.open(folder / "visual.tif", "w", **profile) as f:
        for top in range(0, SIDE, step):
            rows = np.stack([s.read(1, window=((top, top + step), (0, SIDE))) for s in sources])
            rows = np.clip(rows * (255 / 3000), 1, 255).astype("uint8")
            f.write(rows, window=((top, top + step), (0, SIDE)))
            for n, g in enumerate(cloudy):
                valid = strip(patches[n], none, top, step)[::2, ::2] > 0
                g.write(rows[:, ::2, ::2] * valid, window=((top // 2, top // 2 + STRIP), (0, SIDE // 2)))
    for f in sources + cloudy:
        f.close()


def main():
    out = Path(sys.argv[1])
    for name in ["scene"] + [f"cloudy{n + 1}" for n in range(CLOUDY)]:
        (out / name).mkdir(parents=True, exist_ok=True)
    assets = bands(out / "scene")
    pictures(out / "scene", out)
    picture = {"visual": {"href": "visual.tif", "type": "image/tiff; application=geotiff", "roles": ["visual"],
                          "bands": [{"name": n, "eo:common_name": n} for n in ("red", "green", "blue")]}}
    for n in range(CLOUDY):
        write_item(out / f"cloudy{n + 1}", f"cloudy{n + 1}", "cloudy", picture)
    write_item(out / "scene", "scene", "bench", assets | picture)


main()
