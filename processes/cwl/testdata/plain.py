"""Runs the conformance tests of the Common Workflow Language by cwltool alone, and writes each as one JSON file for TestConformance.

    python plain.py FOLDER CASES

FOLDER is a checkout of github.com/common-workflow-language/cwl-v1.2 (or cwl-v1.1, or of v1.0 in common-workflow-language). A document that
names other files is packed into one that has them in it, as a package of Swath has to be.
"""

import io
import json
import logging
import os
import re
import sys
import tempfile
from urllib.parse import unquote

from cwltool.main import main as cwltool
from ruamel.yaml import YAML

yaml = YAML(typ="safe", pure=True)


def tests(path):
    """Yields the tests of a list, and of those that it imports."""
    with open(path) as f:
        for test in yaml.load(f):
            if "$import" in test:
                yield from tests(os.path.join(os.path.dirname(path), test["$import"]))
            else:
                for key in ("tool", "job"):
                    if test.get(key):
                        test[key] = os.path.join(os.path.dirname(path), test[key])
                yield test


def absolute(value, folder):
    """Makes the addresses of a job's files paths."""
    if isinstance(value, list):
        return [absolute(v, folder) for v in value]
    if not isinstance(value, dict):
        return value
    value = {k: absolute(v, folder) for k, v in value.items()}
    if value.get("class") in ("File", "Directory"):
        for key in ("location", "path"):
            if isinstance(value.get(key), str) and "://" not in value[key]:
                value[key] = os.path.normpath(os.path.join(folder, value[key]))
    return value


def run(*args):
    """Runs cwltool, and returns what it prints, or nothing when it fails."""
    out, err = io.StringIO(), io.StringIO()
    try:
        rc = cwltool(list(args), stdout=out, stderr=err, logger_handler=logging.NullHandler())
    except (Exception, SystemExit):
        return None
    return out.getvalue() if rc == 0 else None


def literal(value, folder):
    """Puts what a document's files say into it; reports whether there were any."""
    if isinstance(value, list):
        return any([literal(v, folder) for v in value])
    if not isinstance(value, dict):
        return False
    found = any([literal(v, folder) for v in value.values()])
    where = value.get("location", value.get("path")) if value.get("class") == "File" else None
    if not isinstance(where, str):
        return found
    path = os.path.join(folder, unquote(where.removeprefix("file://")))
    with open(path) as f:
        value["contents"] = f.read()
    value.setdefault("basename", os.path.basename(path))
    value.pop("location", None)
    value.pop("path", None)
    return True


def document(tool):
    """Returns a tool as one document, and the name of its main process."""
    path, _, main = tool.partition("#")
    with open(path) as f:
        text = f.read()
    if re.search(r"\$import|\$include|\$mixin", text) or re.search(r"""["']?run["']?:\s*["']?[^#{"'\s]+""", text):
        text = run("--pack", path)
        main = main or "main"
    if text:
        parts = yaml.load(text)
        try:
            if literal(parts, os.path.dirname(path)):
                text = json.dumps(parts, default=str)
        except (OSError, UnicodeDecodeError):
            pass  # it stays as it is, and is refused
    return text, main


def plain(test, text, process):
    """Runs a test's document, and returns its outputs."""
    tool = test["tool"]
    with open(tool.partition("#")[0]) as f:
        same = f.read() == text
    with tempfile.TemporaryDirectory() as work:
        if text and not same:
            tool = os.path.join(work, "package.cwl")
            with open(tool, "w") as f:
                f.write(text)
            tool += "#" + process if process else ""
        said = run("--no-container", "--outdir", os.path.join(work, "out"), tool, *([test["job"]] if test.get("job") else []))
    return json.loads(said) if said else None


def main(folder, cases):
    folder = os.path.abspath(folder)
    os.makedirs(cases, exist_ok=True)
    listing = next(p for p in (os.path.join(folder, n) for n in ("conformance_tests.yaml", "conformance_test_v1.0.yaml")) if os.path.exists(p))
    for number, test in enumerate(tests(listing)):
        name = str(test.get("id", number))
        job, order = {}, test.get("job")
        if order:
            with open(order) as f:
                job = absolute(yaml.load(f), os.path.dirname(order))
        text, process = document(test["tool"])
        said = plain(test, text, process)
        with open(os.path.join(cases, f"{name}.json"), "w") as f:
            json.dump({"doc": test.get("doc"), "document": text or "", "main": process, "job": job or {}, "fails": bool(test.get("should_fail")),
                       "plain": said}, f, default=str)
        print(name, "failed" if said is None else "ran", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
