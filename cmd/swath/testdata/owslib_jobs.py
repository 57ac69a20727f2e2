"""OWSLib executes the process echo by OGC API Processes and by WPS 1.0.0, waits, and reads the results."""

import json
import sys
import time
import urllib.request

from owslib.ogcapi.processes import Processes
from owslib.util import ServiceException
from owslib.wps import BoundingBoxDataInput, ComplexDataInput, WebProcessingService, monitorExecution

base = sys.argv[1]


def get(address):
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


api = Processes(base + "/")
assert "echo" in [p["id"] for p in api.processes()]
assert api.process("echo")["inputs"]["doubleInput"]["schema"]["maximum"] == 10
assert api.execute("echo", {"stringInput": "at once", "arrayInput": [1, 2]}) == {"stringOutput": "at once", "arrayOutput": [1, 2]}
job = api.execute("echo", {"stringInput": "later", "pause_s": 1}, async_=True)
at = next(link["href"] for link in job["links"] if link["rel"] == "self")
for _ in range(100):
    status = get(at)
    if status["status"] not in ("accepted", "running"):
        break
    time.sleep(0.2)
assert status["status"] == "successful", status
assert get(next(link["href"] for link in status["links"] if link["rel"].endswith("/results"))) == {"stringOutput": "later"}
print("OGC API Processes: at once and later")

wps = WebProcessingService(base + "/wps")
assert wps.identification.type == "WPS" and "echo" in [p.identifier for p in wps.processes]
echo = wps.describeprocess("echo")
kinds = {i.identifier: i.dataType for i in echo.dataInputs}
assert kinds["doubleInput"] == "double" and kinds["boundingBoxInput"] == "BoundingBoxData" and kinds["imageInput"] == "ComplexData", kinds
assert {o.identifier: o.dataType for o in echo.processOutputs}["stringOutput"] == "string"
inputs = [
    ("stringInput", "hello"), ("doubleInput", "2.5"), ("pause_s", "1"), ("boundingBoxInput", BoundingBoxDataInput([1, 2, 3, 4])),
    ("measureInput", ComplexDataInput('{"measurement":1,"uom":"m"}', mimeType="application/json")),
]
run = wps.execute("echo", inputs, output=[("stringOutput", False), ("doubleOutput", False), ("measureOutput", False)], mode="async")
assert run.status == "ProcessAccepted" and run.statusLocation, run.status
monitorExecution(run, sleepSecs=0.5)
assert run.isSucceded(), run.errors
values = {o.identifier: o for o in run.processOutputs}
assert values["stringOutput"].data == ["hello"] and values["doubleOutput"].data == ["2.5"], values
assert json.loads(values["measureOutput"].data[0]) == {"measurement": 1, "uom": "m"}
assert get(values["USER_INFO"].reference)["USER_INFO"]["job_status"] == "FINISHED"
assert wps.execute("echo", [("stringInput", "at once")], mode="sync").processOutputs[0].data == ["at once"]
try:
    wps.execute("echo", [("doubleInput", "12")])
    raise SystemExit("12 is more than the schema allows, and was taken")
except ServiceException as refused:
    assert "doubleInput" in str(refused)
print("WPS: at once and later")
