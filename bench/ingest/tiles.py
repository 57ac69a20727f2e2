"""Tiles of a product that was not converted: drawn at first touch from its JPEG 2000 files.

    tiles.py SWATH_BINARY PRODUCT.zip [--tiles 20]

One band, 256 pixels, random places at each zoom, one client. Time is the client's; CPU is the server's, from /proc (ticks of 10 ms). Second
visits draw the same places with other colours, from decoded blocks.
"""

import argparse
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PORT = 18099


def cpu_ms(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=60) as answer:
        return answer.read()


def tile_of(lon, lat, zoom):
    n = 2 ** zoom
    phi = math.radians(lat)
    return int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(phi)) / math.pi) / 2 * n)


def draw(pid, item, places, style):
    """Milliseconds of each tile, and of the server's CPU for a tile on average."""
    before, times = cpu_ms(pid), []
    for zoom, x, y in places:
        start = time.monotonic()
        get(f"{item}/tiles/WebMercatorQuad/{zoom}/{x}/{y}.png?assets=B04&{style}")
        times.append((time.monotonic() - start) * 1000)
    return times, (cpu_ms(pid) - before) / len(places)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("swath")
    arguments.add_argument("product", type=Path)
    arguments.add_argument("--tiles", type=int, default=20)
    a = arguments.parse_args()
    data = a.product.parent / "data-jp2"
    shutil.rmtree(data, ignore_errors=True)
    start = time.monotonic()
    subprocess.run([a.swath, "ingest", "--cog", "none", "--data", data, a.product], check=True, stderr=subprocess.DEVNULL)
    print(f"in the catalog after {time.monotonic() - start:.1f} s")
    server = subprocess.Popen([a.swath, "serve", "--data", data, "--listen", f"127.0.0.1:{PORT}"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                found = json.loads(get("/search?limit=1"))["features"][0]
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit("bench: the server does not answer")
        west, south, east, north = found["bbox"]
        item = f"/collections/{found['collection']}/items/{found['id']}"
        rng = random.Random(7)
        print("| zoom | first touch, ms: median / worst | CPU ms a tile | second visit, ms: median | CPU ms a tile |\n|---|---|---|---|---|")
        for zoom in range(14, 6, -1):
            places = set()
            for _ in range(a.tiles):
                lon, lat = west + (east - west) * (0.15 + 0.7 * rng.random()), south + (north - south) * (0.15 + 0.7 * rng.random())
                places.add((zoom, *tile_of(lon, lat, zoom)))
            places = sorted(places, key=lambda _: rng.random())
            first, cpu = draw(server.pid, item, places, "rescale=0,0.4")
            second, cpu2 = draw(server.pid, item, places, "rescale=0,0.41")
            print(f"| {zoom} | {statistics.median(first):.0f} / {max(first):.0f} | {cpu:.0f} | {statistics.median(second):.1f} | {cpu2:.1f} |", flush=True)
    finally:
        server.terminate()
        server.wait()


main()
