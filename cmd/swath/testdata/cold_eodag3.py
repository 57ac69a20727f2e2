"""EODAG 3.0.1 with its own provider "peps" asks for a product that is on tape: it is told 202 with an empty body, waits, and downloads it."""
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
product, = dag.search(provider="peps", productType="S2_MSI_L1C", start="2018-06-01", end="2018-07-01",
                      geom={"lonmin": 150, "latmin": -35, "lonmax": 160, "latmax": -25}, cloudCover=100, raise_errors=True)
assert product.properties["storageStatus"] == "OFFLINE", product.properties["storageStatus"]
path = dag.download(product, wait=0.02, timeout=2)  # minutes
item = json.load(urllib.request.urlopen(f"{base}/collections/sentinel-2-l1c/items/{product.properties['title']}"))
with open(path, "rb") as f:
    assert "1220" + hashlib.sha256(f.read()).hexdigest() == item["assets"]["product"]["file:checksum"], path
print("EODAG 3 peps, from tape:", os.path.basename(path))
