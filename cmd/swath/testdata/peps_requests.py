"""Makes the requests of CNES' peps_download.py, in its order: a search by box and dates with empty parameters, the answer written to a
file and read by its names, a download by curl with Basic into a temporary name, the comparison of sizes, the renaming."""
import hashlib, json, os, subprocess, sys, tempfile, time

base, user, password = sys.argv[1:4]
patience = float(sys.argv[4]) if len(sys.argv) > 4 else 0  # seconds to wait for the archive
os.chdir(tempfile.mkdtemp())


def search(collection):
    url = (f"{base}/resto/api/collections/{collection}/search.json?box=150.0,-35.0,160.0,-25.0&startDate=2018-06-01"
           "&completionDate=2018-07-01&maxRecords=500&productType=&sensorMode=")
    if os.path.exists("search.json"):
        os.remove("search.json")
    subprocess.run(f'curl -s -k -o search.json "{url}"', shell=True, check=True)
    data = json.load(open("search.json"))
    assert "ErrorCode" not in data, data
    rows = {}
    for f in data["features"]:
        p = f["properties"]
        assert isinstance(p["resourceSize"], int) and isinstance(p["orbitNumber"], int)
        if p["cloudCover"] <= 100:
            rows[p["productIdentifier"]] = (f["id"], p["startDate"], p["storage"]["mode"], p["resourceSize"])
    return rows


rows = search("S2ST")
assert len(rows) == 1, rows
assert search("S2") == {}, "multi-tile products end in 2016"
until = time.time() + patience
done = {}
while len(done) < len(rows):
    for name, (uuid, day, mode, size) in search("S2ST").items():
        assert mode in ("disk", "tape", "staging"), mode
        if name in done:
            continue
        if mode != "disk" and mode != "tape":
            continue
        subprocess.run(f'curl -s -o tmp.tmp -k -u "{user}:{password}" "{base}/resto/collections/S2ST/{uuid}/download/?issuerId=peps"', shell=True)
        if mode == "tape":
            assert not os.path.exists("tmp.tmp") or os.path.getsize("tmp.tmp") == 0, "the answer of staging has a body"
            continue
        assert os.path.getsize("tmp.tmp") == size, (os.path.getsize("tmp.tmp"), size)
        os.rename("tmp.tmp", name + ".zip")
        done[name] = hashlib.sha256(open(name + ".zip", "rb").read()).hexdigest()
    if len(done) < len(rows):
        assert time.time() < until, "the product never reached the disk"
        time.sleep(0.2)
for name, got in done.items():
    item = json.loads(subprocess.check_output(["curl", "-s", f"{base}/collections/sentinel-2-l1c/items/{name}"]))
    assert item["assets"]["product"]["file:checksum"] == "1220" + got, name
    print("peps_download's requests:", name, got)
