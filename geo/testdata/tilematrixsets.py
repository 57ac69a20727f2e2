"""Writes tilematrixsets.csv: what morecantile says of the grids and of some of their tiles. pip install morecantile==7.1.0"""
import csv, pathlib, random
import morecantile
random.seed(5)
with open(pathlib.Path(__file__).with_name("tilematrixsets.csv"), "w", newline="") as f:
    out = csv.writer(f)
    out.writerow("id z scale cell tilewidth tileheight width height x y left bottom right top".split())
    for name in sorted(morecantile.tms.list()):
        tms = morecantile.tms.get(name)
        for m in tms.tileMatrices[:: 3]:
            z = int(m.id)
            for x, y in [(0, 0), (random.randrange(m.matrixWidth), random.randrange(m.matrixHeight)),
                         (random.randrange(m.matrixWidth), m.matrixHeight - 1), (m.matrixWidth - 1, m.matrixHeight // 5)]:
                b = tms.xy_bounds(morecantile.Tile(x, y, z))
                out.writerow([name, z, m.scaleDenominator, m.cellSize, m.tileWidth, m.tileHeight, m.matrixWidth, m.matrixHeight, x, y, *b])
