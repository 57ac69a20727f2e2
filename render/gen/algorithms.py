"""Writes ../testdata/truth/algorithms.txt: what TiTiler's algorithms make of a small terrain, and of three bands.

    python3 -m venv v && v/bin/pip install rio-tiler==9.4.12 titiler.core==2.4.0 && v/bin/python algorithms.py

A line is "name|parameters|planes in|planes out|values", the values in rows, plane after plane. The image has 16 x 14 pixels of
30 m by 30 m.
"""
import json

import numpy
from rio_tiler.models import ImageData
from titiler.core.algorithm import algorithms

rng = numpy.random.default_rng(11)
y, x = numpy.mgrid[0:14, 0:16]
terrain = 900 + 400 * numpy.sin(x / 3) * numpy.cos(y / 4) + rng.normal(0, 8, (14, 16))
bands = numpy.stack([terrain, rng.uniform(0, 300, (14, 16)), rng.uniform(-50, 200, (14, 16))]).astype("float32")
bands[0, 0, :3] = [-431.7, 8848.9, 0.3]


def line(name, params, planes, values):
    text = ",".join(f"{v:.9g}" for v in values.ravel())
    return f"{name}|{json.dumps(params)}|{planes}|{values.shape[0]}|{text}\n"


with open("../testdata/truth/algorithms.txt", "w") as file:
    file.write(line("", {}, 3, bands))
    for name, params, planes in [
        ("hillshade", {}, 1), ("hillshade", {"azimuth": 315, "angle_altitude": 20, "z_exaggeration": 0.05, "buffer": 1}, 1),
        ("slope", {}, 1), ("slope", {"z_exaggeration": 4, "buffer": 2}, 1),
        ("contours", {}, 1), ("contours", {"increment": 100, "thickness": 10, "minz": 0, "maxz": 1400}, 1),
        ("terrarium", {}, 1), ("terrainrgb", {}, 1), ("terrainrgb", {"interval": 0.5, "baseval": -500}, 1),
        ("normalizedIndex", {}, 2), ("cast", {}, 1), ("ceil", {}, 2), ("floor", {}, 1),
        ("min", {}, 3), ("max", {}, 3), ("median", {}, 3), ("mean", {}, 3), ("std", {}, 3), ("var", {}, 3), ("sum", {}, 3),
        ("grayscale", {}, 3), ("bitonal", {}, 3),
    ]:
        data = bands[1:1 + planes] if name in ["cast", "ceil", "floor"] else bands[:planes]
        if name in ["cast", "ceil", "floor"]:
            data = numpy.clip(data, 0, 255)  # beyond, numpy's cast is not defined
            file.write(line("", {}, planes, data))
        if name == "normalizedIndex":
            file.write(line("", {}, 3, bands))
        if name == "min":
            file.write(line("", {}, 3, bands))
        image = ImageData(data.copy(), crs="EPSG:32631", bounds=(0, 0, 480, 420))
        file.write(line(name, params, planes, algorithms.get(name)(**params)(image).array.data))
