"""What clients of TiTiler ask, with nothing changed but the address of the server.

    titiler.py BASE_URL SCHEMA_DIR

The requests are those of leafmap 0.63 (stac_bands, stac_stats, stac_tile, stac_bounds, stac_info, stac_pixel_value), of STAC Browser
(buildTileUrlTemplate), of QGIS (XYZ and WMTS layers) and of GDAL (WMTS). Angles are compared with the product's XML.
Prints a line per check and exits 1 at the first that fails.
"""

import io
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import rasterio
import requests
from rasterio.io import MemoryFile
from rasterio.warp import transform

BASE = sys.argv[1].rstrip("/")
S2 = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
ITEM = f"{BASE}/collections/sentinel-2-l1c/items/{S2}"
LON, LAT = 152.3, -30.3


def check(what, ok, seen=""):
    print(("ok      " if ok else "FAILED  ") + what + (f": {seen}" if seen != "" else ""))
    if not ok:
        sys.exit(1)


def get(address, /, **params):
    r = requests.get(address, params=params, timeout=60)
    if r.status_code != 200:
        check(r.url, False, f"{r.status_code} {r.text[:300]}")
    return r


def image(body):
    with MemoryFile(body) as f, f.open() as d:
        return d.read()


def leafmap(endpoint, url):
    """The calls of leafmap/stac.py, in its order and with its parameters."""
    bands = get(f"{endpoint}/stac/assets", url=url).json()
    check("leafmap.stac_bands", isinstance(bands, list) and {"B02", "B08"} <= set(bands), len(bands))
    r = get(f"{endpoint}/stac/info.geojson", url=url).json()
    bounds = r.get("bbox")
    check("leafmap.stac_bounds", len(bounds) == 4 and bounds[0] < LON < bounds[2] and bounds[1] < LAT < bounds[3], bounds)
    check("leafmap.stac_info", bool(get(f"{endpoint}/stac/info", url=url, assets=["B04", "B03"]).json()))
    assets = ["B04", "B03", "B02"]
    stats = get(f"{endpoint}/stac/statistics", url=url, assets=assets).json()
    try:
        low, high = min(stats[s]["percentile_2"] for s in stats), max(stats[s]["percentile_98"] for s in stats)
    except (KeyError, TypeError):
        low = min(stats[s][list(stats[s].keys())[0]]["percentile_2"] for s in stats)
        high = max(stats[s][list(stats[s].keys())[0]]["percentile_98"] for s in stats)
    check("leafmap.stac_stats, of what is stored, as TiTiler counts", 0 < low < high and 100 < high < 20000, (low, high))
    r = get(f"{endpoint}/stac/WebMercatorQuad/tilejson.json", url=url, assets=assets, rescale=f"{low},{high}").json()
    check("leafmap.stac_tile", len(r["tiles"]) == 1 and "{z}" in r["tiles"][0], r["tiles"][0][:80])
    tile = r["tiles"][0].replace("{z}", "8").replace("{x}", "236").replace("{y}", "150")
    check("its tiles", image(get(tile).content).shape[1:] == (256, 256))
    r = get(f"{endpoint}/stac/WebMercatorQuad/tilejson.json", url=url, expression="(B08-B04)/(B08+B04)", asset_as_band=True, rescale="-1,1", colormap_name="rdylgn").json()
    tile = r["tiles"][0].format(z=8, x=236, y=150)
    check("leafmap.stac_tile with an expression", image(get(tile).content).shape[1:] == (256, 256))
    r = get(f"{endpoint}/stac/point/{LON},{LAT}", url=url, assets=assets).json()
    value = dict(zip(assets, r["values"]))
    check("leafmap.stac_pixel_value", all(isinstance(v, (int, float)) and v > 10 for v in value.values()), value)


def browser():
    """STAC Browser asks for tiles of an asset by its href."""
    item = get(ITEM).json()
    href = item["assets"]["visual"]["href"]
    tile = get(f"{BASE}/cog/tiles/WebMercatorQuad/8/236/150@2x", url=href).content
    check("STAC Browser's tiles of an asset", image(tile).shape[1:] == (512, 512))
    same = get(f"{ITEM}/tiles/WebMercatorQuad/8/236/150@2x", assets="visual").content
    check("are those of the item", tile == same)
    r = get(f"{BASE}/cog/WebMercatorQuad/tilejson.json", url=href).json()
    check("and its TileJSON", image(get(r["tiles"][0].format(z=8, x=236, y=150)).content).shape[1:] == (256, 256))
    r = requests.get(f"{BASE}/cog/WebMercatorQuad/tilejson.json", params={"url": "https://example.com/a.tif"}, timeout=60)
    check("a file of another server is refused", r.status_code == 400 and "catalog" in r.json()["detail"], r.json()["detail"][:60])


def qgis():
    """QGIS asks for a screen of tiles at once, with its own template."""
    template = ITEM + "/tiles/WebMercatorQuad/{z}/{x}/{y}.png?render=true-color"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda xy: requests.get(template.format(z=10, x=xy[0], y=xy[1]), headers={"User-Agent": "Mozilla/5.0 QGIS/33400"}, timeout=60),
                                [(x, y) for x in range(942, 950) for y in range(598, 606)]))
    check("QGIS: 64 XYZ tiles", all(a.status_code == 200 and a.headers["Content-Type"] == "image/png" for a in answers))
    tag = answers[0].headers["ETag"]
    check("QGIS: its cache revalidates", requests.get(answers[0].url, headers={"If-None-Match": tag}, timeout=60).status_code == 304)


def wmts():
    """GDAL's WMTS driver draws the same picture as the tiles have."""
    if not shutil.which("gdal_translate"):
        return
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/wmts.tif"
        source = f"WMTS:{ITEM}/WMTSCapabilities.xml?render=ndvi"
        subprocess.run(["gdal_translate", "-q", "-outsize", "256", "0", source, out], check=True, timeout=120, cwd=folder)
        with rasterio.open(out) as d:
            check("GDAL reads the WMTS", d.count >= 3 and d.width == 256 and d.read(1).std() > 10 and d.crs.to_epsg() in (3857, 32756), d.crs)


def data():
    """Extracted pixels are those that rasterio reads in the COG itself."""
    with rasterio.open(f"/vsicurl/{ITEM}/assets/B04") as cog:
        x, y = transform("EPSG:4326", cog.crs, [LON], [LAT])
        row, column = cog.index(x[0], y[0])
        window = rasterio.windows.Window(column, row, 30, 20)
        want, box = cog.read(1, window=window), cog.window_bounds(window)
        body = get(f"{ITEM}/data.tif", assets="B04,B08", bbox=",".join(repr(v) for v in box), coord_crs=str(cog.crs)).content
        with MemoryFile(body) as f, f.open() as d:
            check("extracted GeoTIFF", d.descriptions == ("B04", "B08") and d.dtypes[0] == "uint16" and d.crs == cog.crs and d.scales[0] == 0.0001, d.profile["dtype"])
            check("pixel for pixel", np.array_equal(d.read(1), want) and np.allclose(d.bounds, box, atol=1e-6), want.shape)
    lines = get(f"{ITEM}/data.csv", assets="B04", bbox=",".join(repr(v) for v in box), coord_crs="EPSG:32756").text.splitlines()
    table = np.genfromtxt(io.StringIO("\n".join(lines[1:])), delimiter=",")
    check("extracted table", len(table) == (want > 0).sum() and np.array_equal(table[:, 4], want[want > 0]), lines[0])
    with tempfile.NamedTemporaryFile(suffix=".nc") as f:
        f.write(get(f"{ITEM}/data.nc", assets="B04", bbox=",".join(repr(v) for v in box), coord_crs="EPSG:32756").content)
        f.flush()
        said = subprocess.run(["gdalinfo", f"NETCDF:{f.name}:B04", "-checksum"], check=True, capture_output=True, text=True).stdout
        check("extracted NetCDF", "Size is 30, 20" in said and "NC_GLOBAL#Conventions=CF-1.8" in said)


def angles():
    """The JSON against the XML, read by ElementTree."""
    found = get(f"{ITEM}/angles").json()
    root = ET.fromstring(get(f"{ITEM}/assets/granule-metadata").content)
    numbers = lambda node: np.array([[float(v) for v in row.text.split()] for row in node.iter("VALUES")])
    table = lambda rows: np.array([[np.nan if v is None else v for v in row] for row in rows])
    sun = root.find(".//Sun_Angles_Grid")
    check("sun angles", np.array_equal(numbers(sun.find("Zenith")), table(found["sun"]["grid"]["zenith_deg"]), equal_nan=True))
    count = 0
    for grid in root.iter("Viewing_Incidence_Angles_Grids"):
        band = found["view"]["bands"][int(grid.get("bandId"))]
        (detector,) = [d for d in band["detectors"] if d["detector"] == int(grid.get("detectorId"))]
        for name, key in (("Zenith", "zenith_deg"), ("Azimuth", "azimuth_deg")):
            if not np.array_equal(numbers(grid.find(name)), table(detector[key]), equal_nan=True):
                check(f"view {name} of {band['band']}", False)
        count += 1
    check("view angles of each band and detector", count > 13, count)
    check("no orbit, and why", requests.get(f"{ITEM}/orbit", timeout=60).status_code == 404)


def main():
    leafmap(BASE, ITEM)
    browser()
    qgis()
    wmts()
    data()
    angles()


main()
