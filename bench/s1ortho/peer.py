#!/usr/bin/env python3
"""Runs sarsen over a part of a product: peer.py SAFE dem EPSG:code west north side-in-pixels [rtc]. Prints CPU seconds a megapixel."""
import math
import pathlib
import resource
import sys
import time

import numpy as np
import rasterio
from rasterio.coords import disjoint_bounds
from rasterio.merge import merge
from rasterio.warp import Resampling, reproject, transform_bounds

safe, dem, crs, west, north, side = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
rtc = "rtc" in sys.argv[7:]
transform = rasterio.transform.from_origin(west, north, 10, 10)
heights = np.zeros((side, side), "float32")
around = transform_bounds(crs, "EPSG:4326", west, north - side * 10, west + side * 10, north)
files = []
for path in sorted(dem.glob("*.tif")) if dem.is_dir() else [dem]:
    d = rasterio.open(path)
    if not disjoint_bounds(d.bounds, around):
        files.append(d)
whole, at = merge(files, bounds=(around[0] - 0.01, around[1] - 0.01, around[2] + 0.01, around[3] + 0.01))
reproject(whole[0], heights, src_transform=at, src_crs="EPSG:4326", dst_transform=transform, dst_crs=crs, resampling=Resampling.bilinear)
path = "peer-dem.tif"
with rasterio.open(path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32", crs=crs, transform=transform) as d:
    d.write(heights + 50, 1)

import sarsen  # noqa: E402

begin, cpu = time.time(), time.process_time()
product = sarsen.Sentinel1SarProduct(safe, "IW/VV")
sarsen.terrain_correction(product, dem_urlpath=path, output_urlpath="peer.tif", correct_radiometry="gamma_bilinear" if rtc else None)
wall, used = time.time() - begin, time.process_time() - cpu
print(f"sarsen {sarsen.__version__} {'RTC' if rtc else 'GTC'}: {side} x {side}, one polarisation: {wall:.1f} s wall, {used:.1f} CPU-s, "
      f"{used / side / side * 1e6:.2f} CPU-s a megapixel, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
