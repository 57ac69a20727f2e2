"""Writes ../testdata/truth/formula.csv: what rio-tiler makes of 300 colours by color formulas.

    python3 -m venv v && v/bin/pip install rio-tiler==9.4.12 && v/bin/python truth.py

A line is a formula, then colours before and after, as "rrggbbrrggbb".
"""
import numpy
from rio_tiler.models import ImageData

rng = numpy.random.default_rng(7)
colours = rng.integers(0, 256, (3, 1, 300), dtype=numpy.uint8)
colours[:, 0, :256] = numpy.arange(256)
with open("../testdata/truth/formula.csv", "w") as file:
    for formula in [
        "gamma RGB 1.5", "gamma b 0.8", "gamma R 2 gamma g 1.2", "sigmoidal RGB 10 0.15", "sigmoidal 13 3.5 0.5", "sigmoidal rgb 20 1",
        "saturation 1.2", "saturation 0", "saturation 0.4", "saturation 3", "gamma G 1.85 gamma B 1.95 sigmoidal RGB 35 0.13 saturation 1.15",
        "saturation 1.4 gamma RGB 1.1", "sigmoidal RGB 6 0.5 sigmoidal RGB -6 0.5", "Gamma RGB 1.5, Sigmoidal RGB 10 0.15, Saturation 1.2",
    ]:
        image = ImageData(colours.copy())
        image.apply_color_formula(formula)
        both = numpy.stack([colours, image.data]).transpose(2, 3, 0, 1)
        file.write(f"{formula.replace(',', '|')},{both.tobytes().hex()}\n")
