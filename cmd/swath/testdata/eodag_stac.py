"""EODAG 4 with a generic STAC provider that is this server, and with its own provider cop_dataspace of which only addresses are others."""
import hashlib, json, os, sys, tempfile, urllib.request

base, user, password = sys.argv[1:4]
home = tempfile.mkdtemp()
config = os.path.join(home, "eodag.yml")
with open(config, "w") as f:
    f.write(f"""
ours:
  priority: 10
  search: {{type: StacSearch, api_endpoint: '{base}/search', need_auth: false}}
  products: {{GENERIC_COLLECTION: {{_collection: '{{collection}}'}}}}
  download: {{type: HTTPDownload, output_dir: '{home}/stac', extract: false}}
cop_dataspace:
  search: {{api_endpoint: '{base}/odata/v1/Products'}}
  download: {{output_dir: '{home}/cdse', extract: false}}
  auth:
    auth_base_uri: '{base}/auth'
    oidc_config_url: '{base}/auth/realms/CDSE/.well-known/openid-configuration'
    credentials: {{username: '{user}', password: '{password}'}}
""")
os.environ.update(EODAG_CFG_FILE=config, HOME=home, EODAG_EXT_COLLECTIONS_CFG_FILE="")
from eodag import EODataAccessGateway

dag = EODataAccessGateway(user_conf_file_path=config)


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def item(id):
    return json.load(urllib.request.urlopen(f"{base}/collections/sentinel-2-l1c/items/{id}"))


where = {"lonmin": 150, "latmin": -35, "lonmax": 160, "latmax": -25}
found = dag.search(provider="ours", collection="sentinel-2-l1c", start="2018-06-01", end="2018-07-01", geom=where, raise_errors=True)
assert len(found) == 1, found
path = dag.download(found[0])
files = {name: os.path.join(r, name) for r, _, names in os.walk(path) for name in names} if os.path.isdir(path) else {os.path.basename(path): path}
sums = {sha(f) for f in files.values()}
want = {a["file:checksum"][4:] for a in item(found[0].properties["id"])["assets"].values()}
assert sums and sums <= want, (files, len(want))
assert len(sums) == len(want), (len(sums), len(want))
print("EODAG 4 STAC:", len(sums), "files")

if len(sys.argv) > 4:
    # Its download address is fixed: what it asks there comes here.
    from urllib.parse import urlsplit

    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def here(self, request, **options):
        at = urlsplit(request.url)
        if at.hostname.endswith("dataspace.copernicus.eu"):
            request.url = base + request.url.removeprefix(f"{at.scheme}://{at.netloc}")
        return send(self, request, **options)

    HTTPAdapter.send = here
    found = dag.search(provider="cop_dataspace", collection="S2_MSI_L1C", start="2018-06-01", end="2018-07-01", geom=where, raise_errors=True)
    assert len(found) == 1, found
    path = dag.download(found[0])
    assert "1220" + sha(path) == item(found[0].properties["title"].removesuffix(".SAFE"))["assets"]["product"]["file:checksum"]
    print("EODAG 4 cop_dataspace:", os.path.basename(path))
