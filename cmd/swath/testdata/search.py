"""What pystac-client sees of a running server when it uses all that the server says it can, stackstac, and the requests of STAC Browser.

    search.py BASE_URL

Puts items of known properties into a collection of its own, and compares every answer with Python's own choice among them.
"""

import sys

import numpy as np
import pystac_client
import rasterio
import requests
import stackstac
from pystac_client import ConformanceClasses

BASE = sys.argv[1].rstrip("/")
MADE = "made-by-search-py"
PLATFORMS = ["sentinel-2a", "sentinel-2b", "Sentinel-2C"]


def check(what, ok, seen=""):
    print(("ok      " if ok else "FAILED  ") + what + (f": {seen}" if not ok else ""))
    if not ok:
        sys.exit(1)


def made(n):
    """Item n: a square of a degree; 24 of them go around the world, item 0 lies across the antimeridian."""
    west, south = -180.5 + 15 * n, -60 + 5 * n
    square = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]]
    shape, box = {"type": "Polygon", "coordinates": [square]}, [west, south, west + 1, south + 1]
    if n == 0:
        halves = [[[a, south], [b, south], [b, south + 1], [a, south + 1], [a, south]] for a, b in [(179.5, 180), (-180, -179.5)]]
        shape, box = {"type": "MultiPolygon", "coordinates": [[h] for h in halves]}, [179.5, south, -179.5, south + 1]
    return {
        "type": "Feature", "stac_version": "1.1.0", "id": f"item-{n:02}", "collection": MADE, "geometry": shape, "bbox": box, "links": [], "assets": {},
        "properties": {"datetime": f"2020-01-{n + 1:02}T10:00:00Z", "eo:cloud_cover": n * 7 % 24, "limit_of_clouds": n % 12, "platform": PLATFORMS[n % 3],
                       "sat:relative_orbit": n % 5, "title": "a place by the sea" if n % 4 == 0 else "a mountain", "tags": [f"t{n % 3}", f"u{n % 2}"]}}


ITEMS = [made(n) for n in range(24)]


def ids(*wanted, **search):
    return sorted(i["id"] for i in CLIENT.search(collections=[MADE], **search).items_as_dicts())


def finds(what, choice, **search):
    """Checks a search against the items of which choice(properties) is true."""
    want = [i["id"] for i in ITEMS if choice(i["properties"])]
    got = ids(**search)
    check(what, got == want and want, f"{got}, want {want}")


def filters():
    p = lambda name: {"property": name}
    op = lambda name, *args: {"op": name, "args": list(args)}
    for text, json, choice in [
        ('"eo:cloud_cover" < 10', op("<", p("eo:cloud_cover"), 10), lambda i: i["eo:cloud_cover"] < 10),
        ('"eo:cloud_cover" + 2 * limit_of_clouds > 20', op(">", op("+", p("eo:cloud_cover"), op("*", 2, p("limit_of_clouds"))), 20),
         lambda i: i["eo:cloud_cover"] + 2 * i["limit_of_clouds"] > 20),
        ('"eo:cloud_cover" % 5 = 2', op("=", op("%", p("eo:cloud_cover"), 5), 2), lambda i: i["eo:cloud_cover"] % 5 == 2),
        ('"eo:cloud_cover" > limit_of_clouds', op(">", p("eo:cloud_cover"), p("limit_of_clouds")), lambda i: i["eo:cloud_cover"] > i["limit_of_clouds"]),
        ("platform IN ('sentinel-2a', 'Sentinel-2C')", op("in", p("platform"), ["sentinel-2a", "Sentinel-2C"]), lambda i: i["platform"] != "sentinel-2b"),
        ("CASEI(platform) = CASEI('SENTINEL-2c')", op("=", op("casei", p("platform")), op("casei", "SENTINEL-2c")), lambda i: i["platform"] == "Sentinel-2C"),
        ("platform LIKE 'sentinel-%'", op("like", p("platform"), "sentinel-%"), lambda i: i["platform"].startswith("sentinel-")),
        ("NOT (\"eo:cloud_cover\" BETWEEN 3 AND 20)", op("not", op("between", p("eo:cloud_cover"), 3, 20)), lambda i: not 3 <= i["eo:cloud_cover"] <= 20),
        ("T_AFTER(datetime, TIMESTAMP('2020-01-20T00:00:00Z'))", op("t_after", p("datetime"), {"timestamp": "2020-01-20T00:00:00Z"}), lambda i: i["datetime"] > "2020-01-20"),
        ("A_CONTAINS(tags, ('t1', 'u0'))", op("a_contains", p("tags"), ["t1", "u0"]), lambda i: {"t1", "u0"} <= set(i["tags"])),
        ("S_INTERSECTS(geometry, BBOX(-100, -40, 0, 5))", op("s_intersects", p("geometry"), {"bbox": [-100, -40, 0, 5]}), None),
    ]:
        choice = choice or (lambda i: i in [x["properties"] for x in ITEMS if -101 <= x["bbox"][0] <= 0 and -41 <= x["bbox"][1] <= 5])
        finds(f"GET {text}", choice, filter=text, filter_lang="cql2-text", method="GET")
        finds(f"POST {json}", choice, filter=json, filter_lang="cql2-json")
        search = CLIENT.search(collections=[MADE], filter=json, filter_lang="cql2-json", limit=3)
        check("matched agrees", search.matched() == len([i for i in ITEMS if choice(i["properties"])]) == len(list(search.items())), search.matched())


def search():
    for wanted in ["CORE", "COLLECTIONS", "FEATURES", "ITEM_SEARCH", "FIELDS", "SORT", "FILTER", "QUERY", "COLLECTION_SEARCH", "COLLECTION_SEARCH_FREE_TEXT"]:
        check(f"pystac-client sees {wanted}", CLIENT.conforms_to(ConformanceClasses[wanted]), CLIENT.get_conforms_to())
    filters()
    for query in [{"eo:cloud_cover": {"lt": 10, "gte": 3}}, ["eo:cloud_cover<10", "eo:cloud_cover>=3"]]:
        finds(f"query {query}", lambda i: 3 <= i["eo:cloud_cover"] < 10, query=query)
    finds("a box across the antimeridian", lambda i: i is ITEMS[0]["properties"] or i is ITEMS[23]["properties"], bbox=[160, -90, -170, 90])
    finds("the other way round it is one box", lambda i: i not in [ITEMS[0]["properties"], ITEMS[23]["properties"]], bbox=[-170, -90, 160, 90])
    for method in ["GET", "POST"]:
        found = list(CLIENT.search(collections=[MADE], sortby=["-eo:cloud_cover", "+id"], limit=5, method=method).items_as_dicts())
        want = sorted(ITEMS, key=lambda i: (-i["properties"]["eo:cloud_cover"], i["id"]))
        check(f"{method}: sorted by cloud cover, over pages", [i["id"] for i in found] == [i["id"] for i in want], [i["id"] for i in found])
        found = list(CLIENT.search(collections=[MADE], fields=["id", "properties.platform", "-links"], limit=7, method=method).items_as_dicts())
        check(f"{method}: fields", len(found) == 24 and all(list(i["properties"]) == ["platform"] and "geometry" not in i for i in found), found[:1])
    found = list(CLIENT.collection_search(q="by-search", limit=10).collections())
    check("collections by free text", [c.id for c in found] == [MADE], found)
    found = [c.id for c in CLIENT.collection_search(bbox=[152, -31, 153, -29], datetime="2018-06-01/2018-07-01").collections()]
    check("collections by place and time", "sentinel-2-l1c" in found and MADE not in found, found)
    check("collections matched", CLIENT.collection_search(q="by-search").matched() == 1)
    found = [i.id for i in CLIENT.get_collection(MADE).get_items()]
    check("all items of a collection", sorted(found) == sorted(i["id"] for i in ITEMS), found)
    found = [i.id for i in CLIENT.get_collection(MADE).get_items(ITEMS[3]["id"], ITEMS[5]["id"])]
    check("some items of a collection", sorted(found) == sorted([ITEMS[3]["id"], ITEMS[5]["id"]]), found)
    check("queryables", "eo:cloud_cover" in CLIENT.get_collection(MADE).get_queryables()["properties"])


def stacks():
    item = next(CLIENT.search(collections=["sentinel-2-l1c"], ids=["S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"]).items())
    with rasterio.open(item.assets["B04"].get_absolute_href()) as band:
        stack = stackstac.stack([item], assets=["B04"], epsg=band.crs.to_epsg(), bounds=tuple(band.bounds), resolution=band.res[0],
                                rescale=False, fill_value=np.float64(0), dtype="float64", snap_bounds=False)
        check("stackstac loads B04 as it is in the file", np.array_equal(stack.values[0, 0], band.read(1)), stack.shape)


def browser():
    """The requests that STAC Browser makes of an API, and what it reads of the answers."""
    other = {"Origin": "https://radiantearth.github.io"}
    root = requests.get(BASE + "/", headers={**other, "Accept": "application/geo+json,application/json"})
    check("the root is open to other sites", root.headers.get("Access-Control-Allow-Origin") == "*" and root.json()["type"] == "Catalog", root.headers)
    rels = {link["rel"] for link in root.json()["links"]}
    check("the root links to what it browses", {"data", "search", "conformance", "service-desc", "child"} <= rels, rels)
    page = requests.get(BASE + "/collections?limit=2", headers=other).json()
    follow = [link["href"] for link in page["links"] if link["rel"] == "next"]
    check("collections come in pages", len(page["collections"]) == 2 and len(follow) == 1 and requests.get(follow[0]).json()["collections"], page["links"])
    page = requests.get(f"{BASE}/collections/{MADE}/items?limit=12", headers=other).json()
    follow = [link["href"] for link in page["links"] if link["rel"] == "next"]
    check("items come in pages", len(page["features"]) == 12 and len(requests.get(follow[0]).json()["features"]) == 12, page["links"])
    body = {"collections": [MADE], "limit": 12, "sortby": [{"field": "properties.datetime", "direction": "desc"}], "filter-lang": "cql2-json",
            "filter": {"op": "and", "args": [{"op": "<=", "args": [{"property": "eo:cloud_cover"}, 20]}]}}
    found = requests.post(BASE + "/search", json=body, headers=other)
    times = [i["properties"]["datetime"] for i in found.json()["features"]]
    check("a posted search", found.headers.get("Access-Control-Allow-Origin") == "*" and times == sorted(times, reverse=True) and len(times) == 12, times)
    follow = [link for link in found.json()["links"] if link["rel"] == "next"][0]
    rest = requests.request(follow["method"], follow["href"], json={**body, **follow["body"]} if follow.get("merge") else follow["body"]).json()
    check("and its next page", len(rest["features"]) == 9, rest)
    for path in ["/queryables", f"/collections/{MADE}/queryables"]:
        check(path, requests.get(BASE + path, headers={**other, "Accept": "application/schema+json"}).json()["properties"])
    ask = {**other, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    leave = requests.options(BASE + "/search", headers=ask)
    allowed = leave.headers.get("Access-Control-Allow-Methods", "") + " " + leave.headers.get("Access-Control-Allow-Headers", "").lower()
    check("a page of another site may post a search", leave.ok and "POST" in allowed and "content-type" in allowed, leave.headers)


requests.delete(f"{BASE}/collections/{MADE}")
collection = {"type": "Collection", "stac_version": "1.1.0", "id": MADE, "title": "Made by-search", "description": "Items of known properties", "license": "other",
              "links": [], "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]]}}}
for target, body in [("/collections", collection), (f"/collections/{MADE}/items", {"type": "FeatureCollection", "features": ITEMS})]:
    answer = requests.post(BASE + target, json=body)
    check(f"POST {target}", answer.status_code == 201, answer.text)
CLIENT = pystac_client.Client.open(BASE)
search()
browser()
stacks()
