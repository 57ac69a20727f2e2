"""Writes statistics.json: what rio-tiler counts in the bundled crop of Spain. pip install rio-tiler==9.4.12; from the repository's root."""
import json, pathlib
from rio_tiler.io import Reader

ring = [[[-1.0, 0.9], [0.2, 0.95], [0.7, 0.1], [0.3, -0.8], [-0.6, -0.5], [-1.0, 0.9]]]
with Reader("testdata/scenes/spain-flood-2019/S2_L1C_13band.tif") as src:
    w, s, e, n = src.bounds
    place = lambda p: [(w + e) / 2 + p[0] * (e - w) / 2.3, (s + n) / 2 + p[1] * (n - s) / 2.3]
    shape = {"type": "Feature", "properties": {"name": "field"},
             "geometry": {"type": "Polygon", "coordinates": [[place(p) for p in ring[0]]]}}
    def plain(stats):
        d = next(iter(stats.values())).model_dump()
        d.pop("description", None)
        return d
    whole = src.preview(indexes=8, max_size=1024)
    part = src.feature(shape, indexes=8, align_bounds_with_dataset=True)
    out = {"whole": plain(whole.statistics(hist_options={"bins": 8})),
           "categories": plain(whole.statistics(categorical=True, categories=[2000, 2001, 7])),
           "percentiles": plain(whole.statistics(percentiles=[5, 50, 95], hist_options={"bins": [0, 1000, 1500, 4000], })),
           "feature": shape,
           "zone": plain(part.statistics(coverage=part.get_coverage_array(shape, cover_scale=10), hist_options={"range": [0, 4000]}))}
pathlib.Path(__file__).with_name("statistics.json").write_text(json.dumps(out, indent=1))
