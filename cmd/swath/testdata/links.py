"""boto3 signs links to files of a running server; whoever has a link reads the file, and nothing else.

usage: links.py BASE ACCESS SECRET COLLECTION ITEM ASSET SIZE
"""
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

base, access, secret, collection, item, asset, size = sys.argv[1:]


def client(secret):
    return boto3.client("s3", endpoint_url=base, aws_access_key_id=access, aws_secret_access_key=secret, region_name="us-east-1",
                        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))


def link(key, seconds=60, secret=secret):
    return client(secret).generate_presigned_url("get_object", Params={"Bucket": "collections", "Key": key}, ExpiresIn=seconds)


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


key = f"{collection}/items/{item}/assets/{asset}"
code, body = status(link(key))
assert code == 200 and len(body) == int(size), (code, len(body), size, body[:300])
for wrong in (link(key, secret="x" + secret), link(key).replace(asset, asset + "x", 1), link(key) + "0"):
    code, body = status(wrong)
    assert code == 401, (code, body[:300])
code, body = status(f"{base}/collections/{key}")
assert code == 404, ("without a link", code, body[:300])

# A client that downloads by the SDK itself, not by a link, sends the signature in a header: that is refused, not misunderstood.
request = urllib.request.Request(f"{base}/collections/{key}", headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x"})
try:
    urllib.request.urlopen(request)
    raise AssertionError("an unknown scheme is taken")
except urllib.error.HTTPError as error:
    assert error.code == 401, error.code
print("links are good: boto3", boto3.__version__)
