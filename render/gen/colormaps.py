"""Writes ../colormaps.csv.gz: one line per colour map, "name,rrggbbrrggbb…" with 256 colours.

    python3 -m venv v && v/bin/pip install matplotlib==3.11.2 cmocean==4.0.3 rio-tiler==9.4.12 && v/bin/python colormaps.py

The colours are the floats of matplotlib and cmocean times 255, cut to whole numbers as rio-tiler does, so that a map
looks the same from either server. A reversed map is stored too: cutting makes it differ from the map read backwards.
"""
import gzip

import cmocean  # noqa: F401  registers its maps as "cmo.*"
import matplotlib
import numpy
import rio_tiler.colormap

X = numpy.linspace(0, 1, 256)
maps = {}
for name in sorted(matplotlib.colormaps):
    short = name.removeprefix("cmo.").lower()
    if "_i" in name and name.startswith("cmo.") or short in maps:  # inverted lightness; aliases that differ in case only
        continue
    if name.startswith("cmo.") and short.removesuffix("_r") == "gray":  # matplotlib's own gray keeps the name
        continue
    rgb = (matplotlib.colormaps[name](X)[:, :3] * 255).astype("uint8")
    maps[short] = rgb.tobytes().hex()

for name in ["cfastie", "rplumbo", "schwarzwald"]:  # rio-tiler's own, of 256 colours
    rgb = numpy.array(list(rio_tiler.colormap.cmap.get(name).values()), dtype="uint8")[:, :3]
    maps[name], maps[name + "_r"] = rgb.tobytes().hex(), rgb[::-1].tobytes().hex()

text = "".join(f"{name},{colours}\n" for name, colours in sorted(maps.items()))
with open("../colormaps.csv.gz", "wb") as file:
    file.write(gzip.compress(text.encode(), compresslevel=9, mtime=0))
print(len(maps), "colour maps")
