"""EODAG 3.0.1 with its own provider "peps", of which only the address is another: search, download, compare."""
import hashlib, json, os, sys, tempfile, urllib.request

base, user, password = sys.argv[1:4]
home = tempfile.mkdtemp()
config = os.path.join(home, "eodag.yml")
with open(config, "w") as f:
    f.write(f"""
peps:
  priority: 10
  search: {{api_endpoint: '{base}/resto/api/collections/{{collection}}/search.json'}}
  download: {{output_dir: '{home}', extract: false}}
  auth: {{matching_url: '{base}', credentials: {{username: '{user}', password: '{password}'}}}}
""")
os.environ.update(EODAG_CFG_FILE=config, HOME=home, EODAG_EXT_PRODUCT_TYPES_CFG_FILE="")
from eodag import EODataAccessGateway

dag = EODataAccessGateway(user_conf_file_path=config)
dag.set_preferred_provider("peps")
found = dag.search(provider="peps", productType="S2_MSI_L1C", start="2018-06-01", end="2018-07-01",
                   geom={"lonmin": 150, "latmin": -35, "lonmax": 160, "latmax": -25}, cloudCover=100, raise_errors=True, count=True)
assert len(found) == 1 and found.number_matched == 1, (len(found), found.number_matched)
product = found[0]
p = product.properties
assert p["storageStatus"] == "ONLINE" and p["title"].startswith("S2A_MSIL1C_20180629"), p
path = dag.download(product)
with open(path, "rb") as f:
    got = hashlib.sha256(f.read()).hexdigest()
item = json.load(urllib.request.urlopen(f"{base}/collections/sentinel-2-l1c/items/{p['title']}"))
want = item["assets"]["product"]["file:checksum"]
assert want == "1220" + got, (path, want, got)
assert not dag.search(provider="peps", productType="S2_MSI_L1C", start="2001-06-01", end="2001-07-01", raise_errors=True)
print("EODAG 3 peps:", os.path.basename(path), got)
