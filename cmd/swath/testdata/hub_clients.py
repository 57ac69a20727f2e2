"""cdsetool, stac-asset, pystac-client and boto3 download from this server. cdsetool's hosts are fixed: what it asks them comes here."""
import asyncio, hashlib, json, os, sys, tempfile, urllib.request
from urllib.parse import urlsplit

base, user, password = sys.argv[1:4]
home = tempfile.mkdtemp()


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


import pystac_client

client = pystac_client.Client.open(base)
item = next(client.search(collections=["sentinel-2-l1c"], max_items=1).items())
want = {k: a.extra_fields["file:checksum"][4:] for k, a in item.assets.items()}
product = want["product"]
with urllib.request.urlopen(item.assets["product"].href) as r:
    assert hashlib.sha256(r.read()).hexdigest() == product
print("pystac-client: product")

import stac_asset

got = asyncio.run(stac_asset.download_item(item, os.path.join(home, "stac-asset"), config=stac_asset.Config(warn=False)))
for k, a in got.assets.items():
    path = os.path.join(home, "stac-asset", a.href) if not os.path.isabs(a.href) else a.href
    assert sha(path) == want[k], k
print("stac-asset:", len(got.assets), "files")

import requests
from requests.adapters import HTTPAdapter

send = HTTPAdapter.send


def here(self, request, **options):
    at = urlsplit(request.url)
    if at.hostname.endswith("dataspace.copernicus.eu"):
        request.url = base + request.url.removeprefix(f"{at.scheme}://{at.netloc}")
        request.headers.pop("Host", None)
    return send(self, request, **options)


HTTPAdapter.send = here
from cdsetool.credentials import Credentials
from cdsetool.download import download_feature
from cdsetool.query import query_features

features = list(query_features("SENTINEL-2", {"contentDateStartGe": "2018-06-01", "contentDateStartLe": "2018-07-01", "productType": "S2MSI1C",
                                              "cloudCoverLe": 100, "geometry": "POLYGON((150 -35,160 -35,160 -25,150 -25,150 -35))"}))
assert [f["Name"] for f in features] == [item.id + ".SAFE"], features
out = os.path.join(home, "cdsetool")
os.mkdir(out)
credentials = Credentials(user, password, openid_configuration_endpoint=base + "/auth/realms/CDSE/.well-known/openid-configuration")
name = download_feature(features[0], out, {"credentials": credentials})
assert sha(os.path.join(out, name)) == product, name
print("cdsetool:", name)
try:
    Credentials(user, "wrong", openid_configuration_endpoint=base + "/auth/realms/CDSE/.well-known/openid-configuration")
    raise SystemExit("a wrong password is taken")
except Exception as e:
    assert type(e).__name__ == "InvalidCredentialsException", e

if len(sys.argv) > 5:
    import boto3
    from botocore.config import Config

    s3 = boto3.client("s3", endpoint_url=base, region_name="us-east-1", aws_access_key_id=sys.argv[4], aws_secret_access_key=sys.argv[5],
                      config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "collections", "Key": f"sentinel-2-l1c/items/{item.id}/assets/product"}, ExpiresIn=60)
    with urllib.request.urlopen(link) as r:
        assert hashlib.sha256(r.read()).hexdigest() == product
    print("boto3: presigned link")
