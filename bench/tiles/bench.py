"""Swath and TiTiler draw the same tiles of the same COGs, in turns; the servers' CPU time per request is what counts.

    bench.py DATA_DIR SWATH_BINARY FLOOR_BINARY TITILER_PYTHON [--requests 60] [--rounds 3] [--clients 8] [--only WORD]

CPU time (user + system of all processes of a server, from /proc) is steady on a shared machine; requests a second are not.
Each round takes fresh places: Swath cold (a block cache of 1 MiB, so in effect none), Swath on first visit and again at the
same places (cache filled by the visit before), TiTiler. The order of the servers is turned around every round. Beside the
tiles of one item stands the floor (bench/floor) for the same tiles.
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
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

TITILER_SETTINGS = {  # those of TiTiler's documentation, "Performance tuning"
    "GDAL_CACHEMAX": "200", "GDAL_BAND_BLOCK_CACHE": "HASHSET", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_INGESTED_BYTES_AT_OPEN": "32768", "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES", "VSI_CACHE": "TRUE", "VSI_CACHE_SIZE": "5000000",
    "TITILER_API_TELEMETRY_ENABLED": "FALSE",
}
NDVI = "expression=(B08-B04)/(B08%2BB04)&rescale=-1,1&colormap_name=rdylgn"
RGB = "assets=B04,B03,B02&rescale=0,0.3"
THEIR_RGB = "assets=B04&assets=B03&assets=B02&rescale=0,3000"
ITEM = "/collections/bench/items/scene"


class Case:
    """What is asked of both: an address with {z} {x} {y}, {point}, {box} in it, TiTiler's with {stac}, {visual}, {mosaic} as well."""

    def __init__(self, name, ours, theirs, heavy=1, cold=True):
        self.name, self.ours, self.theirs, self.heavy, self.cold = name, ours, theirs, heavy, cold


def tile_case(name, extension, ours, theirs, source="stac"):
    return Case(name, f"{ITEM}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}.{extension}?{ours}",
                f"/{'cog' if source == 'visual' else 'stac'}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}.{extension}?url={{{source}}}&{theirs}")


CASES = [
    tile_case("NDVI PNG", "png", NDVI, "assets=B04&assets=B08&expression=(b2-b1)/(b2%2Bb1)&rescale=-1,1&colormap_name=rdylgn"),
    tile_case("RGB PNG", "png", RGB, THEIR_RGB),
    tile_case("RGB JPEG", "jpg", RGB, THEIR_RGB),
    tile_case("TCI PNG", "png", "assets=visual", "", "visual"),
    tile_case("TCI JPEG", "jpg", "assets=visual", "", "visual"),
    tile_case("TCI WebP", "webp", "assets=visual", "", "visual"),
    Case("mosaic of 4 PNG", "/collections/cloudy/tiles/WebMercatorQuad/{z}/{x}/{y}.png?assets=visual&sortby=id&rescale=0,255",
         "/mosaicjson/tiles/WebMercatorQuad/{z}/{x}/{y}.png?url={mosaic}"),
    Case("point, 2 assets", f"{ITEM}/point/{{point}}?assets=B04,B08", "/stac/point/{point}?url={stac}&assets=B04&assets=B08"),
    Case("statistics, 1 asset", f"{ITEM}/statistics?assets=B04", "/stac/statistics?url={stac}&assets=B04", heavy=6),
    Case("preview 1024 px PNG", f"{ITEM}/preview.png?assets=visual&max_size=1024&dst_crs=epsg:32631", "/cog/preview.png?url={visual}&max_size=1024", heavy=6),
    Case("crop 512 px PNG", f"{ITEM}/bbox/{{box}}/512x512.png?assets=visual&dst_crs=epsg:4326", "/cog/bbox/{box}/512x512.png?url={visual}", heavy=3),
]


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


def places(rng, bounds, n):
    """Random tiles of zooms 8 to 14 inside the scene, with a point and a box of a tenth of a degree in each."""
    west, south, east, north = bounds
    out = []
    while len(out) < n:
        z = rng.randint(8, 14)
        lon, lat = rng.uniform(west + 0.1, east - 0.1), rng.uniform(south + 0.1, north - 0.1)
        out.append(dict(z=z, x=int((lon + 180) / 360 * 2**z), y=int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z),
                        point=f"{lon:.5f},{lat:.5f}", box=f"{lon - 0.05:.5f},{lat - 0.05:.5f},{lon + 0.05:.5f},{lat + 0.05:.5f}"))
    return out


class Server:
    """One that is asked by clients that keep their connections."""

    def __init__(self, process, port, path):
        self.process, self.port, self.path, self.local = process, port, path, threading.local()

    def get(self, path):
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        start = time.perf_counter()
        self.local.connection.request("GET", path)
        answer = self.local.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"bench: {answer.status} for {path}: {body[:300]!r}")
        return time.perf_counter() - start, len(body)

    def run(self, case, todo, clients):
        """CPU ms, requests a second, bytes of a request; the times of all."""
        before, start = cpu_seconds(self.process.pid), time.time()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            answers = list(pool.map(lambda t: self.get(self.path(case, t)), todo))
        wall = time.time() - start
        cpu = 1000 * (cpu_seconds(self.process.pid) - before) / len(todo)
        return cpu, len(todo) / wall, statistics.mean(a[1] for a in answers), [a[0] for a in answers]


def write_mosaic(python, files, path):
    subprocess.run([python, "-c", "import sys; from cogeo_mosaic.mosaic import MosaicJSON; from pathlib import Path\n"
                    "Path(sys.argv[1]).write_text(MosaicJSON.from_urls(sys.argv[2:], minzoom=8, maxzoom=14, quiet=True).model_dump_json())",
                    str(path), *files], check=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("data"), p.add_argument("swath"), p.add_argument("floor"), p.add_argument("titiler")
    p.add_argument("--requests", type=int, default=60), p.add_argument("--rounds", type=int, default=3), p.add_argument("--clients", type=int, default=8)
    p.add_argument("--only", default="")
    a = p.parse_args()
    data, started = Path(a.data).resolve(), []

    def start(command, **env):
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(process)
        return process

    try:
        # The servers share one database: the second swath is given the first one's address.
        warm = start([a.swath, "serve", "--data", a.data, "--listen", "127.0.0.1:18081", "--log-level", "error", "--block-cache-mib", "2048"])
        item = json.loads(wait_for("http://127.0.0.1:18081" + ITEM))
        cloudy = json.loads(wait_for("http://127.0.0.1:18081/collections/cloudy/items?sortby=id"))["features"]
        address = subprocess.run([a.swath, "migrate", "--data", a.data, "--print-address"], check=True, capture_output=True, text=True).stdout.strip()
        cold = start([a.swath, "serve", "--data", a.data, "--listen", "127.0.0.1:18082", "--log-level", "error", "--block-cache-mib", "1"], SWATH_DATABASE=address)
        file_of = lambda asset: str((data / "objects" / "bytes" / asset["swath:object"]).resolve())
        for asset in item["assets"].values():
            asset["href"] = file_of(asset)
        (data / "bench-item.json").write_text(json.dumps(item))
        write_mosaic(a.titiler, [file_of(i["assets"]["visual"]) for i in cloudy], data / "bench-mosaic.json")
        titiler = start([a.titiler, "-m", "uvicorn", "titiler.application.main:app", "--workers", "2", "--port", "18083", "--log-level", "error"], **TITILER_SETTINGS)
        wait_for("http://127.0.0.1:18082/healthz"), wait_for("http://127.0.0.1:18083/healthz")

        sources = dict(stac=urllib.parse.quote(str(data / "bench-item.json")), visual=urllib.parse.quote(item["assets"]["visual"]["href"]),
                       mosaic=urllib.parse.quote(str(data / "bench-mosaic.json")))
        ours = lambda case, place: case.ours.format(**place)
        theirs = lambda case, place: case.theirs.format(**place, **sources)
        swath_cold, swath_warm, peer = Server(cold, 18082, ours), Server(warm, 18081, ours), Server(titiler, 18083, theirs)

        def floor(case, todo):
            """CPU ms a tile of the floor, cold and warm; nothing for what is no tile of one item."""
            if "/tiles/" not in case.ours or ITEM not in case.ours:
                return None
            kind = case.name.replace("RGB", "TCI").split()
            files = [item["assets"][n]["href"] for n in {"NDVI": ["B04", "B08"], "RGB": ["B04", "B03", "B02"], "TCI": ["visual"]}[case.name.split()[0]]]
            lines = "".join(f"{t['z']} {t['x']} {t['y']}\n" for t in todo)
            out = subprocess.run([a.floor, case.name.split()[0].lower(), kind[1].lower(), *files], input=lines, check=True, capture_output=True, text=True).stdout
            return [float(v) for v in out.split()]

        rng, results, floors = random.Random(42), {}, {}
        cases = [c for c in CASES if a.only.lower() in c.name.lower()]
        for case in cases:
            for s in (swath_cold, swath_warm, peer):
                s.run(case, places(rng, item["bbox"], 4), 2)
            for r in range(a.rounds):
                todo = places(rng, item["bbox"], max(4, a.requests // case.heavy))
                turns = [("cold", swath_cold), ("first visit", swath_warm), ("second visit", swath_warm), ("TiTiler", peer)]
                for name, server in turns if r % 2 == 0 else [turns[3], turns[0], turns[1], turns[2]]:
                    results.setdefault((case, name), []).append(server.run(case, todo * 4 if name == "second visit" else todo, a.clients))
                floors.setdefault(case, []).append(floor(case, todo))

        version = subprocess.run([a.titiler, "-c", "import importlib.metadata as m; print(m.version('titiler.application'), 'rio-tiler', m.version('rio-tiler'))"], capture_output=True, text=True).stdout.strip()
        print(f"TiTiler {version}, {a.rounds} rounds of {a.requests} requests (fewer of heavy ones), zooms 8-14, {a.clients} clients, {os.cpu_count()} cores")
        print("\n| case | server | CPU ms | ratio to TiTiler [min..max over rounds] | ÷ floor | requests/s | p50 / p99 ms | kB |\n|---|---|---|---|---|---|---|---|")
        for (case, name), rounds in results.items():
            ratios = [t[0] / max(o[0], 1e-9) for t, o in zip(results[case, "TiTiler"], rounds)]
            cpu, rate, size = (statistics.mean(r[i] for r in rounds) for i in range(3))
            times = sorted(t for r in rounds for t in r[3])
            ratio = "" if name == "TiTiler" else f"{statistics.mean(ratios):.1f} [{min(ratios):.1f}..{max(ratios):.1f}]"
            over = ""
            if floors[case][0] and name != "TiTiler" and name != "first visit":
                least = statistics.mean(f[0 if name == "cold" else 1] for f in floors[case])
                over = f"{cpu / least:.2f} of {least:.2f}"
            server = "TiTiler" if name == "TiTiler" else "Swath, " + name
            print(f"| {case.name} | {server} | {cpu:.2f} | {ratio} | {over} | {rate:.0f} | {1000 * times[len(times) // 2]:.0f} / {1000 * times[len(times) * 99 // 100]:.0f} | {size / 1000:.1f} |")
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
        for process in reversed(started):
            process.wait(60)


if __name__ == "__main__":
    main()
