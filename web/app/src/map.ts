// The map: an offline basemap, the footprints of the listed items, and one raster layer for each item that is drawn.
import { AttributionControl, Map as MapLibre, Marker, NavigationControl, ScaleControl, type GeoJSONSource, type StyleSpecification } from "maplibre-gl";
import { tileJSON, type Item } from "./api";

const style: StyleSpecification = {
  version: 8,
  sources: {
    land: { type: "geojson", data: "/ui/basemap/countries.geojson", attribution: "Natural Earth" },
    footprints: { type: "geojson", data: { type: "FeatureCollection", features: [] }, promoteId: "key" },
  },
  layers: [
    { id: "sea", type: "background", paint: { "background-color": "#cfdfe6" } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": "#f3f1ea" } },
    { id: "borders", type: "line", source: "land", paint: { "line-color": "#b9b3a4", "line-width": 0.8 } },
    { id: "footprints", type: "line", source: "footprints", paint: {
      "line-color": ["case", ["get", "selected"], "#d1495b", "#1f6f5c"], "line-width": ["case", ["get", "selected"], 2.5, 1.2] } },
  ],
};

const key = (i: Item) => `${i.collection}/${i.id}`;

export class Atlas {
  readonly map: MapLibre;
  private marker = new Marker({ color: "#d1495b" });
  private drawn = new Map<string, string>(); // item key → preset of its layer

  constructor(container: HTMLElement, start: { center: [number, number]; zoom: number }) {
    this.map = new MapLibre({
      container, style, ...start, maxZoom: 20, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      fadeDuration: 0, canvasContextAttributes: { preserveDrawingBuffer: true, antialias: false },
    });
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ unit: "metric" }), "bottom-right");
    this.map.addControl(new AttributionControl({ customAttribution: "Contains modified Copernicus Sentinel data" }));
  }

  /** West, south, east, north of the view, in degrees. */
  bounds(): [number, number, number, number] {
    const b = this.map.getBounds();
    if (b.getEast() - b.getWest() >= 360) return [-180, Math.max(-90, b.getSouth()), 180, Math.min(90, b.getNorth())];
    const wrap = (lon: number) => ((((lon + 180) % 360) + 360) % 360) - 180;
    return [wrap(b.getWest()), Math.max(-90, b.getSouth()), wrap(b.getEast()), Math.min(90, b.getNorth())];
  }

  fit(bbox: number[]) {
    const [w, s, e, n] = bbox.length === 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : bbox;
    this.map.fitBounds([w, s, e < w ? e + 360 : e, n], { padding: 40, duration: 0, maxZoom: 15 });
  }

  mark(at?: { lng: number; lat: number }) {
    if (at) this.marker.setLngLat(at).addTo(this.map);
    else this.marker.remove();
  }

  footprints(items: Item[], selected?: Item) {
    this.map.getSource<GeoJSONSource>("footprints")?.setData({
      type: "FeatureCollection",
      features: items.map((i) => ({ type: "Feature", geometry: i.geometry,
        properties: { key: key(i), selected: !!selected && key(i) === key(selected) } })),
    });
  }

  /** Draws these items with their presets, the first on top; layers of others are removed. */
  draw(wanted: { item: Item; render: string }[], opacity: number) {
    const names = new Map(wanted.map((w) => [key(w.item), w.render]));
    for (const [name, render] of this.drawn) {
      if (names.get(name) !== render) {
        this.map.removeLayer("item " + name);
        this.map.removeSource("item " + name);
        this.drawn.delete(name);
      }
    }
    let above = "footprints";
    for (const { item, render } of wanted) {
      const id = "item " + key(item);
      if (!this.drawn.has(key(item))) {
        this.map.addSource(id, { type: "raster", url: tileJSON(item, render), tileSize: 256 });
        this.map.addLayer({ id, type: "raster", source: id, paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 } }, above);
        this.drawn.set(key(item), render);
      } else {
        this.map.moveLayer(id, above);
      }
      this.map.setPaintProperty(id, "raster-opacity", opacity);
      above = id;
    }
  }
}
