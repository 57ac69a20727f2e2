"""Swath takes in a whole product, in a fresh data folder, and the processor's time is told by step.

    bench.py SWATH_BINARY PRODUCT.zip [--pixels] [--once]

Time by step is from Swath's own profile (100 samples a second and core, C included), total time and memory from the kernel.
The second run, again in a fresh folder, must make the same bytes; every COG must be one to rio-cogeo's validator; --pixels
compares every pixel with the JPEG 2000 file that GDAL reads.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import rasterio
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate

STEPS = [  # the first that matches any function on the stack
    ("decode JPEG 2000", r"godal\.\(\*Dataset\)\.Read|codestream\)\.decode|_ExternalCode"),
    ("overviews", r"raster\.shrink|swath_halve"),
    ("predictor and deflate", r"pyramid\)\.compress"),
    ("checksums", r"sha256|crc32|hash/"),
    ("blocks, files", r"pyramid\)|objects\.|os\.\(\*File\)|syscall|io\.Copy"),
    ("footprint, quicklook", r"ValidFootprint|ReadOverview|addThumbnail"),
    ("metadata", r"sentinel/|ingest\.|godal\.|pgx|encoding/"),
]


def steps(profile):
    """CPU seconds by step."""
    text = subprocess.run(["go", "tool", "pprof", "-traces", profile], capture_output=True, text=True, check=True).stdout
    total = {}
    for stack in re.split(r"-{5,}\+-+", text)[1:]:
        found = re.match(r"\s*([\d.]+)(ms|s|mins|m)\s", stack)
        if not found:
            continue
        seconds = float(found[1]) * {"ms": 1e-3, "s": 1, "m": 60, "mins": 60}[found[2]]
        step = next((name for name, pattern in STEPS if re.search(pattern, stack)), "the rest")
        total[step] = total.get(step, 0) + seconds
    return total


def peak_kb(pid, until):
    """The most memory that a process, and its children together, held; in kB."""
    peak = [0, 0]
    while not until.wait(0.2):
        own, children = 0, 0
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if int(entry.name) != pid and parent != pid:
                    continue
                if int(entry.name) == pid:
                    own = int(re.search(r"VmHWM:\s+(\d+)", (entry / "status").read_text())[1])
                else:
                    children += int(re.search(r"^Pss:\s+(\d+)", (entry / "smaps_rollup").read_text(), re.M)[1])
            except (OSError, TypeError):
                pass
        peak = [max(peak[0], own), max(peak[1], children)]
    return peak


def take_in(swath, product, data, profile):
    """Ingests; returns wall seconds, CPU seconds (the database included) and peak memory of Swath and of its database in kB."""
    shutil.rmtree(data, ignore_errors=True)
    before, start = os.times(), time.monotonic()
    p = subprocess.Popen([swath, "ingest", "--data", data, "--cpu-profile", profile, product])
    done, result = threading.Event(), []
    watch = threading.Thread(target=lambda: result.extend(peak_kb(p.pid, done)))
    watch.start()
    code = p.wait()
    wall, after = time.monotonic() - start, os.times()
    done.set()
    watch.join()
    if code:
        sys.exit(f"bench: swath ingest ended with {code}")
    return wall, after.children_user + after.children_system - before.children_user - before.children_system, *result


def objects(data):
    """Name and sum of every object."""
    root = data / "objects" / "bytes"
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            with open(path, "rb") as f:
                found[str(path.relative_to(root))] = hashlib.file_digest(f, "sha256").hexdigest()
    return found


def same_pixels(product, cog):
    """Compares a COG with the image that it was made of."""
    band = {"visual": "TCI"}.get(cog.stem, cog.stem)
    with zipfile.ZipFile(product) as z:
        names = [n for n in z.namelist() if n.endswith(f"_{band}.jp2") and "/IMG_DATA/" in n]
    if not names:
        return None
    with rasterio.open(cog) as made, rasterio.open(f"/vsizip/{product}/{names[0]}") as source:
        for top in range(0, made.height, 1024):
            w = Window(0, top, made.width, min(1024, made.height - top))
            if not (made.read(window=w) == source.read(window=w)).all():
                return False
    return True


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("swath")
    arguments.add_argument("product", type=Path)
    arguments.add_argument("--pixels", action="store_true")
    arguments.add_argument("--once", action="store_true")
    a = arguments.parse_args()
    work = a.product.parent
    with zipfile.ZipFile(a.product) as z:
        stream = sum(i.file_size for i in z.infolist() if i.filename.endswith(".jp2"))
    sums = []
    for run in range(1 if a.once else 2):
        data, profile = work / "data", work / f"run{run + 1}.pprof"
        wall, cpu, own, children = take_in(a.swath, a.product, data, profile)
        by_step = steps(profile)
        profiled = sum(by_step.values())
        decode = by_step["decode JPEG 2000"]
        print(f"run {run + 1}: {stream / 1e6:.0f} MB of JPEG 2000; wall {wall:.1f} s, CPU {cpu:.1f} s; decoding {stream / 1e6 / decode:.2f} MB/s a core; "
              f"all but decoding {100 * (1 - decode / profiled):.1f} % of the CPU; peak {own / 1024:.0f} MiB, its database {children / 1024:.0f} MiB")
        for name, seconds in sorted(by_step.items(), key=lambda s: -s[1]):
            print(f"  {name:24}{seconds:8.2f} s CPU {100 * seconds / profiled:6.1f} %")
        sums.append(objects(data))
    if not a.once:
        print(f"byte-identical: {'yes' if sums[0] == sums[1] else 'NO'} ({len(sums[0])} objects)")
    bad = 0
    cogs = sorted((data / "objects" / "bytes").rglob("*.tif"))
    for cog in cogs:
        valid, errors, warnings = cog_validate(cog, quiet=True)
        if not valid or warnings:
            bad += 1
            print(f"  {cog.name}: {errors} {warnings}")
        if a.pixels and same_pixels(a.product, cog) is False:
            bad += 1
            print(f"  {cog.name}: other pixels than the source")
    print(f"COGs: {len(cogs)}, {sum(c.stat().st_size for c in cogs) / 1e6:.0f} MB, {bad} not right")
    sys.exit(bad > 0 or len(sums) == 2 and sums[0] != sums[1])


main()
