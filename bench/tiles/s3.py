"""Swath and TiTiler draw tiles of a COG in an S3 bucket (versitygw) that is 20 ms away, one at a time, nothing of it in a cache.

    s3.py SCENE_DIR SWATH_BINARY VERSITYGW_BINARY TITILER_PYTHON [--tiles 40]

Every tile is asked of a server that never saw its blocks: places are fresh, and Swath's cache of blocks holds 1 MiB. The time of an
answer is what counts, and the requests that the bucket got for it.
"""

import argparse
import http.client
import http.server
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from bench import TITILER_SETTINGS, Server, places, wait_for

AWAY = 0.02
KEYS = dict(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="testsecret", AWS_REGION="us-east-1")


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on after a while, and counts those for ranges."""

    protocol_version, backend, ranges = "HTTP/1.1", 0, 0
    disable_nagle_algorithm, wbufsize = True, -1  # else the body waits for the head to be acknowledged, which may take 40 ms

    def do_GET(self):
        time.sleep(AWAY)
        Proxy.ranges += "range" in self.headers
        if not hasattr(self, "connection_out"):
            self.connection_out = http.client.HTTPConnection("127.0.0.1", Proxy.backend)
        length = int(self.headers.get("content-length") or 0)
        self.connection_out.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":  # answered here
                self.connection_out.putheader(name, value)
        self.connection_out.endheaders(self.rfile.read(length) if length else None)
        answer = self.connection_out.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", answer.headers.get("content-length", "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, *args):
        pass


def main():
    p = argparse.ArgumentParser()
    p.add_argument("scene"), p.add_argument("swath"), p.add_argument("versitygw"), p.add_argument("titiler"), p.add_argument("--tiles", type=int, default=40)
    a = p.parse_args()
    started = []

    def start(command, **env):
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        started.append(process)
        return process

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        try:
            os.chmod(work, 0o755)  # the database runs as another user
            (Path(work) / "s3" / "bench").mkdir(parents=True)
            Proxy.backend = 18094
            start([a.versitygw, "--port", "127.0.0.1:18094", "--quiet", "--keep-alive", "posix", f"{work}/s3"], ROOT_ACCESS_KEY="test", ROOT_SECRET_KEY="testsecret")
            proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 18095), Proxy)
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            time.sleep(2)
            bucket = ["--data", f"{work}/data", "--objects", "s3://bench", "--s3-endpoint", "http://127.0.0.1:18095", "--s3-access-key", "test"]
            subprocess.run([a.swath, "ingest", *bucket, a.scene], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SWATH_S3_SECRET_KEY": "testsecret"})
            swath = start([a.swath, "serve", *bucket, "--listen", "127.0.0.1:18096", "--log-level", "error", "--block-cache-mib", "1"], SWATH_S3_SECRET_KEY="testsecret")
            wait_for("http://127.0.0.1:18096/readyz")
            item = json.loads(wait_for("http://127.0.0.1:18096/search"))["features"][0]
            titiler = start([a.titiler, "-m", "uvicorn", "titiler.application.main:app", "--workers", "2", "--port", "18097", "--log-level", "error"],
                            AWS_S3_ENDPOINT="127.0.0.1:18095", AWS_HTTPS="NO", AWS_VIRTUAL_HOSTING="FALSE", **KEYS, **TITILER_SETTINGS)
            wait_for("http://127.0.0.1:18097/healthz")
            key = "s3://bench/" + item["assets"]["visual"]["swath:object"]
            tile = "tiles/WebMercatorQuad/{z}/{x}/{y}.png"
            servers = {
                "Swath": Server(swath, 18096, lambda _, t: f"/collections/{item['collection']}/items/{item['id']}/{tile}?assets=visual".format(**t)),
                "TiTiler": Server(titiler, 18097, lambda _, t: f"/cog/{tile}?url={key}".format(**t)),
            }
            rng = random.Random(7)
            for s in servers.values():
                s.run(None, places(rng, item["bbox"], 2), 1)
            todo, times = places(rng, item["bbox"], a.tiles), {}
            print("| server | p50 ms | p99 ms | range requests a tile | CPU ms |\n|---|---|---|---|---|")
            for name, s in servers.items():
                before = Proxy.ranges
                cpu, _, _, times[name] = s.run(None, todo, 1)
                own = sorted(times[name])
                print(f"| {name} | {1000 * own[len(own) // 2]:.0f} | {1000 * own[len(own) * 99 // 100]:.0f} | {(Proxy.ranges - before) / a.tiles:.1f} | {cpu:.1f} |")
            print(f"\nTiTiler takes {statistics.mean(times['TiTiler']) / statistics.mean(times['Swath']):.1f} times as long on average.")
        finally:
            for process in reversed(started):
                os.killpg(process.pid, signal.SIGTERM) if process.poll() is None else None
            for process in reversed(started):
                process.wait(60)


if __name__ == "__main__":
    main()
