"""One client (the last argument names it) asks for a product whose files are all on tape when it begins, and has its bytes in the end.
A client that can't wait by itself is told so without leaving a wrong file, and has them when the order is done."""
import hashlib, json, os, sys, tempfile, time, urllib.request

base, user, password, access, secret, client = sys.argv[1:7]
home = tempfile.mkdtemp()

import pystac_client

item = next(pystac_client.Client.open(base).search(collections=["sentinel-2-l1c"], max_items=1).items())
want = {k: a.extra_fields["file:checksum"][4:] for k, a in item.assets.items()}
cold = {k for k, a in item.assets.items() if a.extra_fields.get("order:status") == "orderable"}
assert len(cold) == 14 and "product" in cold, cold


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def files(folder):
    return {os.path.join(r, name) for r, _, names in os.walk(folder) for name in names}


def patient(href):
    """Downloads as a script does that knows what 202 and Retry-After mean."""
    while True:
        with urllib.request.urlopen(href) as r:
            body = r.read()
            if r.status == 200:
                return body
            assert r.status == 202 and body == b"" and r.headers["Link"].endswith('rel="status"'), (r.status, r.headers)
            time.sleep(min(int(r.headers["Retry-After"]), 1))


def retries(attempt, ended):
    """Tries until the archive has brought what earlier tries ordered."""
    until = time.time() + 60
    while not (done := attempt()):
        assert time.time() < until, ended
        time.sleep(0.5)
    return done


def with_pystac():
    assert hashlib.sha256(patient(item.assets["product"].href)).hexdigest() == want["product"]


def with_stac_asset():
    import asyncio, warnings
    import stac_asset

    folder = os.path.join(home, "stac-asset")

    def attempt():
        try:
            got = asyncio.run(stac_asset.download_item(item.clone(), folder, config=stac_asset.Config(overwrite=True)))
        except stac_asset.DownloadError as e:
            assert e.exceptions and all(x.status == 409 for x in e.exceptions), e.exceptions
            saved = {sha(f) for f in files(folder)}
            assert saved <= set(want.values()), "a file is wrong"
            return None
        return got

    assert attempt() is None, "nothing was on tape"
    got = retries(attempt, "stac-asset never had its files")
    for k, a in got.assets.items():
        assert sha(os.path.join(folder, a.href)) == want[k], k


def with_cdsetool():
    from urllib.parse import urlsplit

    from requests.adapters import HTTPAdapter

    send, told = HTTPAdapter.send, []

    def here(self, request, **options):  # its hosts are fixed: what it asks them comes here
        at = urlsplit(request.url)
        if at.hostname.endswith("dataspace.copernicus.eu"):
            request.url = base + request.url.removeprefix(f"{at.scheme}://{at.netloc}")
            request.headers.pop("Host", None)
        answer = send(self, request, **options)
        if request.method == "GET":
            told.append(answer.status_code)
        return answer

    HTTPAdapter.send = here
    from cdsetool import download
    from cdsetool.credentials import Credentials
    from cdsetool.query import query_features

    feature, = query_features("SENTINEL-2", {"contentDateStartGe": "2018-06-01", "contentDateStartLe": "2018-07-01", "productType": "S2MSI1C"})
    assert feature["Online"] is False, feature
    credentials = Credentials(user, password, openid_configuration_endpoint=base + "/auth/realms/CDSE/.well-known/openid-configuration")
    assert download.download_feature(feature, home, {"credentials": credentials, "download_attempts": 1}) is None
    assert told[-1] == 202 and not files(home), (told, files(home))
    pause = time.sleep
    download.time.sleep = lambda s: pause(min(s, 1))  # it waits a minute or more between its attempts
    name = download.download_feature(feature, home, {"credentials": credentials, "download_attempts": 60})
    assert 202 in told and sha(os.path.join(home, name)) == want["product"], (told, name)


def with_boto3():
    import boto3
    from botocore.config import Config

    s3 = boto3.client("s3", endpoint_url=base, region_name="us-east-1", aws_access_key_id=access, aws_secret_access_key=secret,
                      config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "collections", "Key": f"sentinel-2-l1c/items/{item.id}/assets/product"}, ExpiresIn=120)
    with urllib.request.urlopen(link) as r:
        assert r.status == 202 and r.read() == b"" and r.headers["Retry-After"], r.status
    assert hashlib.sha256(patient(link)).hexdigest() == want["product"]


def with_eodag():
    os.environ.update(HOME=home, EODAG_EXT_COLLECTIONS_CFG_FILE="")
    from eodag import EODataAccessGateway
    from eodag.utils.exceptions import DownloadError

    def gateway(folder, search="", download=""):
        config = os.path.join(home, folder + ".yml")
        with open(config, "w") as f:
            f.write(f"""
swath:
  search:
    type: StacSearch
    api_endpoint: '{base}/search'
    need_auth: false
    {search}
  products: {{GENERIC_COLLECTION: {{_collection: '{{collection}}'}}}}
  download: {{type: HTTPDownload, output_dir: '{home}/{folder}', extract: false{download}}}
""")
        os.environ["EODAG_CFG_FILE"] = config
        return EODataAccessGateway(user_conf_file_path=config)

    def found(dag):
        product, = dag.search(provider="swath", collection="sentinel-2-l1c", start="2018-06-01", end="2018-07-01", raise_errors=True)
        return product

    # The product alone, for which it can wait.
    dag = gateway("patient", """metadata_mapping:
      eodag:download_link: '$.assets.product.href'
      order:status: '{$.properties."order:status"#replace_str("Not Available","succeeded")}'""", ", ignore_assets: true, order_enabled: true")
    product = found(dag)
    assert product.properties["order:status"] == "orderable", product.properties["order:status"]
    path = dag.download(product, wait=0.02, timeout=2)  # minutes
    assert sha(path) == want["product"], path

    # All files, for which it can't.
    dag = gateway("plain")

    def attempt():
        try:
            return dag.download(found(dag))
        except DownloadError as e:
            assert "409" in str(e), e
            assert {sha(f) for f in files(os.path.join(home, "plain"))} <= set(want.values()), "a file is wrong"
            return None

    assert attempt() is None, "nothing was on tape"
    order = json.dumps({"items": [{"collection": "sentinel-2-l1c", "id": item.id}]}).encode()  # it asks for one a time: all at once is quicker
    with urllib.request.urlopen(urllib.request.Request(base + "/orders", order, {"Content-Type": "application/json"})) as r:
        assert r.status == 201
    got = files(retries(attempt, "EODAG never had its files"))
    assert {sha(f) for f in got} == set(want.values()), (len(got), len(want))


{"pystac-client": with_pystac, "stac-asset": with_stac_asset, "cdsetool": with_cdsetool, "boto3": with_boto3, "EODAG 4": with_eodag}[client]()
print(client, "from tape: done")
