"""What real clients see of a running server: pystac-client, stac-validator, odc-stac, rasterio and rio-cogeo.

    clients.py BASE_URL SCHEMA_DIR

Prints a line per check and exits 1 at the first that fails. SCHEMA_DIR holds schemas as {host}/{path}: nothing is fetched
from the network.
"""

import random
import sys
from pathlib import Path

import numpy as np
import odc.stac
import pystac_client
import rasterio
import requests
from affine import Affine
from odc.geo.geobox import GeoBox
from offline import offline
from rio_cogeo.cogeo import cog_validate
from stac_check.lint import Linter
from stac_validator import stac_validator

BASE, SCHEMAS = sys.argv[1].rstrip("/"), Path(sys.argv[2])
S2 = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"


def check(what, ok, seen=""):
    print(("ok      " if ok else "FAILED  ") + what + (f": {seen}" if seen != "" else ""))
    if not ok:
        sys.exit(1)


def validate(document):
    v = stac_validator.StacValidate()
    ok = v.validate_dict(document)
    return ok, v.message if not ok else ""


def main():
    offline(BASE, SCHEMAS)
    client = pystac_client.Client.open(BASE)
    collections = list(client.get_collections())
    check("collections", {"sentinel-2-l1c", "spain-flood-2019", "barbellino"} <= {c.id for c in collections}, [c.id for c in collections])
    for c in collections:
        check(f"collection {c.id} is valid", *validate(c.to_dict()))

    found = list(client.search(bbox=[152, -31, 153, -29], datetime="2018-06-01/2018-07-01").items())
    check("search by bbox and datetime", [i.id for i in found] == [S2], [i.id for i in found])
    check("search in another month finds nothing", not list(client.search(bbox=[152, -31, 153, -29], datetime="2018-08-01/2018-09-01").items()))
    everything = [i.id for i in client.search(limit=1).items()]
    check("paging one by one visits each item once", len(everything) == len(set(everything)) >= 5, everything)
    posted = [i.id for i in client.search(limit=2, method="POST").items()]
    check("GET and POST page alike", [i.id for i in client.search(limit=2, method="GET").items()] == posted == everything)
    check("matched", client.search().matched() == len(everything))
    shape = {"type": "Polygon", "coordinates": [[[10, 46], [10.1, 46], [10.1, 46.1], [10, 46.1], [10, 46]]]}
    check("search by intersects", len(list(client.search(intersects=shape).items())) == 2)
    check("search by ids", [i.id for i in client.search(ids=[S2]).items()] == [S2])
    for i in client.search().items():
        document = requests.get(i.self_href).json()
        ok, why = validate(document)
        check(f"item {i.id} is valid", ok, why)
        lint = Linter(document)
        check(f"stac-check finds item {i.id} valid", lint.valid_stac, lint.error_msg or "; ".join(lint.best_practices_msg[1:]))

    item = found[0]
    # The grid is what the item's metadata says; odc-stac also checks it against the file's own.
    fields = item.assets["B04"].extra_fields
    grid = GeoBox(fields["proj:shape"], Affine(*fields["proj:transform"][:6]), fields["proj:code"])
    data = odc.stac.load([item], bands=["B04", "B08"], geobox=grid)
    with rasterio.open(item.assets["B04"].get_absolute_href()) as band:
        own = band.read(1)
        check("odc-stac loads B04 as it is in the file",
              data.B04.shape[1:] == own.shape and np.array_equal(data.B04.values[0], own), f"{data.B04.shape} {data.B04.dtype} {band.crs}")
        check("the CRS is that of the tile", band.crs.to_epsg() == 32756 == data.odc.crs.epsg)
    for name in ["B01", "B04", "B12", "visual"]:
        ok, errors, warnings = cog_validate(item.assets[name].get_absolute_href(), strict=True)
        check(f"{name} is a valid COG over HTTP", ok, f"{errors} {warnings}")

    ndvi_by_hand(item)


def ndvi_by_hand(item):
    """NDVI of the server at 100 places against the pixels of the source, read by rasterio alone."""
    rng, worst, seen = random.Random(1), 0.0, 0
    with rasterio.open(item.assets["B04"].get_absolute_href()) as red, rasterio.open(item.assets["B08"].get_absolute_href()) as nir:
        r, n = red.read(1).astype("float64"), nir.read(1).astype("float64")
        from rasterio.warp import transform
        while seen < 100:
            row, column = rng.randrange(red.height), rng.randrange(red.width)
            if r[row, column] == 0 or n[row, column] == 0:
                continue
            x, y = red.xy(row, column)
            (lon,), (lat,) = transform(red.crs, "EPSG:4326", [x], [y])
            answer = requests.get(f"{item.self_href}/point/{lon:.9f},{lat:.9f}", params={"expression": "(B08-B04)/(B08+B04)"}).json()
            want = (n[row, column] - r[row, column]) / (n[row, column] + r[row, column])
            worst = max(worst, abs(answer["values"][0] - want))
            seen += 1
    check("NDVI at 100 places equals the source's", worst < 1e-6, f"largest difference {worst:.1e}")


main()
