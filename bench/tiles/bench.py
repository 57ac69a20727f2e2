"""Swath and TiTiler draw the same tiles of the same COGs, in turns; the servers' CPU time per tile is what counts.

    bench.py DATA_DIR SWATH_BINARY TITILER_PYTHON [--tiles 60] [--rounds 3] [--clients 8]

CPU time (user + system of all processes of a server, from /proc) is steady on a shared machine; requests a second are not.
Each round takes fresh tiles: Swath cold (a block cache of 1 MiB, so in effect none), Swath on first visit and again on the
same tiles (cache filled by the visit before), TiTiler. The order of the servers is turned around every round.
"""

import argparse
import concurrent.futures
import http.client
import json
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

TITILER_SETTINGS = {  # those of TiTiler's documentation, "Performance tuning"
    "GDAL_CACHEMAX": "200", "GDAL_BAND_BLOCK_CACHE": "HASHSET", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768", "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES", "VSI_CACHE": "TRUE", "VSI_CACHE_SIZE": "5000000",
    "TITILER_API_TELEMETRY_ENABLED": "FALSE",
}
CASES = {  # Swath's query, TiTiler's query
    "NDVI PNG": ("png", "expression=(B08-B04)/(B08%2BB04)&rescale=-1,1&colormap_name=rdylgn",
                 "assets=B04&assets=B08&expression=(b2-b1)/(b2%2Bb1)&rescale=-1,1&colormap_name=rdylgn"),
    "RGB PNG": ("png", "assets=B04,B03,B02&rescale=0,0.3", "assets=B04&assets=B03&assets=B02&rescale=0,3000"),
    "RGB JPEG": ("jpg", "assets=B04,B03,B02&rescale=0,0.3", "assets=B04&assets=B03&assets=B02&rescale=0,3000"),
}


def processes(pid):
    """A process and all its descendants."""
    found, children = [pid], {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(stat[1]), []).append(int(entry))
    for p in found:
        found += children.get(p, [])
    return found


def cpu_seconds(pid):
    total = 0
    for p in processes(pid):
        try:
            stat = Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(stat[11]) + int(stat[12])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def wait_for(url):
    for _ in range(600):
        try:
            return urllib.request.urlopen(url, timeout=2).read()
        except Exception:
            time.sleep(0.1)
    sys.exit(f"bench: {url} does not answer")


def get(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    c.request("GET", path)
    answer = c.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"bench: {answer.status} for {path}: {body[:300]!r}")
    return len(body)


def tiles(rng, bounds, n):
    """Random tiles of zooms 8 to 14 inside the scene."""
    west, south, east, north = bounds
    out = []
    while len(out) < n:
        z = rng.randint(8, 14)
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        x = int((lon + 180) / 360 * 2**z)
        y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
        out.append((z, x, y))
    return out


class Server:
    def __init__(self, name, process, port, path):
        self.name, self.process, self.port, self.path = name, process, port, path

    def run(self, case, todo, clients):
        before, start = cpu_seconds(self.process.pid), time.time()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            sizes = list(pool.map(lambda t: get(self.port, self.path(case, t)), todo))
        wall = time.time() - start
        return 1000 * (cpu_seconds(self.process.pid) - before) / len(todo), len(todo) / wall, sum(sizes) / len(sizes)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data"), p.add_argument("swath"), p.add_argument("titiler")
    p.add_argument("--tiles", type=int, default=60), p.add_argument("--rounds", type=int, default=3), p.add_argument("--clients", type=int, default=8)
    a = p.parse_args()
    data, started = Path(a.data), []

    def start(command, **env):
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(process)
        return process

    try:
        # The servers share one database: the second swath is given the first one's address.
        warm = start([a.swath, "serve", "--data", a.data, "--listen", "127.0.0.1:18081", "--log-level", "error", "--block-cache-mib", "512"])
        item = json.loads(wait_for("http://127.0.0.1:18081/collections/bench/items/scene"))
        address = subprocess.run([a.swath, "migrate", "--data", a.data, "--print-address"], check=True, capture_output=True, text=True).stdout.strip()
        cold = start([a.swath, "serve", "--data", a.data, "--listen", "127.0.0.1:18082", "--log-level", "error", "--block-cache-mib", "1"], SWATH_DATABASE=address)
        for asset in item["assets"].values():
            asset["href"] = str((data / "objects" / "bytes" / asset["swath:object"]).resolve())
        local = data / "bench-item.json"
        local.write_text(json.dumps(item))
        titiler = start([a.titiler, "-m", "uvicorn", "titiler.application.main:app", "--workers", "2", "--port", "18083", "--log-level", "error"], **TITILER_SETTINGS)
        wait_for("http://127.0.0.1:18082/healthz"), wait_for("http://127.0.0.1:18083/healthz")

        ours = lambda c, t: f"/collections/bench/items/scene/tiles/WebMercatorQuad/{t[0]}/{t[1]}/{t[2]}.{CASES[c][0]}?{CASES[c][1]}"
        theirs = lambda c, t: f"/stac/tiles/WebMercatorQuad/{t[0]}/{t[1]}/{t[2]}.{CASES[c][0]}?url={urllib.parse.quote(str(local.resolve()))}&{CASES[c][2]}"
        swath_cold, swath_warm, peer = Server("cold", cold, 18082, ours), Server("warm", warm, 18081, ours), Server("titiler", titiler, 18083, theirs)

        rng, results = random.Random(42), {}
        for case in CASES:
            warmup = tiles(rng, item["bbox"], 4)
            for s in (swath_cold, swath_warm, peer):
                s.run(case, warmup, 2)
            for r in range(a.rounds):
                todo = tiles(rng, item["bbox"], a.tiles)
                turns = [("cold", swath_cold), ("first visit", swath_warm), ("second visit", swath_warm), ("TiTiler", peer)]
                for name, server in turns if r % 2 == 0 else [turns[3], turns[0], turns[1], turns[2]]:
                    results.setdefault((case, name), []).append(server.run(case, todo, a.clients))

        version = subprocess.run([a.titiler, "-c", "import importlib.metadata as m; print(m.version('titiler.application'), 'rio-tiler', m.version('rio-tiler'))"], capture_output=True, text=True).stdout.strip()
        print(f"TiTiler {version}, {a.rounds} rounds of {a.tiles} tiles of 256 px, zooms 8-14, {a.clients} clients, {os.cpu_count()} cores")
        print("\n| case | server | CPU ms a tile | tiles/s | kB a tile | CPU ratio to TiTiler [min..max over rounds] |\n|---|---|---|---|---|---|")
        for (case, name), rounds in results.items():
            peers = results[case, "TiTiler"]
            ratios = [t[0] / max(o[0], 1e-9) for t, o in zip(peers, rounds)]
            mean = [statistics.mean(x) for x in zip(*rounds)]
            ratio = "" if name == "TiTiler" else f"{statistics.mean(ratios):.1f}x [{min(ratios):.1f}..{max(ratios):.1f}]"
            print(f"| {case} | {'TiTiler' if name == 'TiTiler' else 'Swath, ' + name} | {mean[0]:.2f} | {mean[1]:.0f} | {mean[2] / 1000:.1f} | {ratio} |")
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
        for process in reversed(started):
            process.wait(60)


main()
