"""Which GDAL computes a stretched Lanczos kernel as it is defined? Compares the sum, written out, with rasterio's GDAL and with gdalwarp's.

    lanczos.py      (with the Python of .cache/bench/venv, and gdalwarp in the PATH)

Random values of 0..250 are reduced by some factors on a grid that is shifted by fractions of a pixel.
"""

import subprocess
import tempfile
import warnings

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject

SIDE, RIM = 400, 12


def kernel(x):
    x = np.abs(x)
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0)


def main():
    warnings.simplefilter("ignore")
    values = (np.random.default_rng(1).random((SIDE, SIDE)) * 250).astype("float32")
    place = dict(crs="EPSG:32631", transform=from_origin(300000, 4900000, 10, 10))
    command_line = subprocess.run(["gdalwarp", "--version"], capture_output=True, text=True, check=True).stdout.split(",")[0]
    print(f"largest difference from the sum; rasterio's GDAL {rasterio.__gdal_version__}, gdalwarp of {command_line}")
    with tempfile.TemporaryDirectory() as work:
        with rasterio.open(f"{work}/values.tif", "w", driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="float32", **place) as f:
            f.write(values, 1)
        for ratio in (0.7, 1.37, 1.9, 2.3, 3.1):
            n = int(SIDE / ratio)
            stretch = max(ratio, 1)
            columns, rows = (np.arange(n) + 0.5) * ratio + 0.3, (np.arange(n) + 0.5) * ratio + 0.4
            across, down = (kernel((np.arange(SIDE)[None, :] + 0.5 - p[:, None]) / stretch) for p in (columns, rows))
            truth = (down @ values.astype(float) @ across.T) / (down.sum(1)[:, None] * across.sum(1)[None, :])
            theirs = np.zeros((n, n), "float32")
            reproject(values, theirs, src_transform=place["transform"], src_crs=place["crs"], dst_crs=place["crs"], resampling=Resampling.lanczos,
                      dst_transform=from_origin(300003, 4899996, 10 * ratio, 10 * ratio), XSCALE=1 / stretch, YSCALE=1 / stretch)
            box = [300003, 4899996 - n * 10 * ratio, 300003 + n * 10 * ratio, 4899996]
            subprocess.run(["gdalwarp", "-q", "-overwrite", "-et", "0", "-r", "lanczos", "-te", *map(str, box), "-ts", str(n), str(n),
                            "-wo", f"XSCALE={1 / stretch}", "-wo", f"YSCALE={1 / stretch}", f"{work}/values.tif", f"{work}/out.tif"], check=True)
            with rasterio.open(f"{work}/out.tif") as f:
                older = f.read(1)
            inside = (slice(RIM, -RIM),) * 2
            print(f"ratio {ratio}: {np.abs(truth - theirs)[inside].max():.4f}, {np.abs(truth - older)[inside].max():.4f}")


main()
