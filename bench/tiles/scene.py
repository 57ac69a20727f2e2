"""Makes the benchmark's scene: a synthetic Sentinel-2-like tile of 10980 x 10980 pixels in EPSG:32631, always the same.

    scene.py DIR

Fields over fractal relief plus sensor noise, so that the bands compress about as real ones do (ratio 1.5 to 2). Writes
B02, B03, B04, B08 and a STAC item that names them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

SIDE, STRIP, WEST, NORTH = 10980, 549, 300000, 4900020
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


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
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
    (out / "item.json").write_text(json.dumps({
        "type": "Feature", "stac_version": "1.1.0", "id": "scene", "collection": "bench", "geometry": None, "links": [],
        "properties": {"datetime": "2024-06-01T00:00:00Z"}, "assets": assets}))


main()
