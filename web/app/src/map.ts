// The map: an offline basemap, the footprints of the listed items, and one raster layer for each item that is drawn.
import { AttributionControl, Map as MapLibre, Marker, NavigationControl, ScaleControl, type GeoJSONSource, type LayerSpecification, type MapMouseEvent, type StyleSpecification } from "maplibre-gl";
import { tileJSON, type Item } from "./api";

const style: StyleSpecification = {
  version: 8,
  sources: {
    land: { type: "geojson", data: "/ui/basemap/countries.geojson", attribution: "Natural Earth" },
    footprints: { type: "geojson", data: { type: "FeatureCollection", features: [] }, promoteId: "key" },
    dots: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
  },
  layers: [
    { id: "sea", type: "background", paint: { "background-color": "#cfdfe6" } },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": "#f3f1ea" } },
    { id: "borders", type: "line", source: "land", paint: { "line-color": "#b9b3a4", "line-width": 0.8 } },
    { id: "footprints", type: "line", source: "footprints", paint: {
      "line-color": ["case", ["get", "selected"], "#d1495b", "#1f6f5c"], "line-width": ["case", ["get", "selected"], 2.5, 1.2] } },
    // Where the map is too coarse to show a footprint, a dot stands for it.
    { id: "dots", type: "circle", source: "dots", filter: ["<", ["zoom"], ["get", "until"]], paint: {
      "circle-radius": 7, "circle-color": ["case", ["get", "selected"], "#d1495b", "#1f6f5c"], "circle-stroke-color": "#fff", "circle-stroke-width": 2 } },
  ],
};

/** Where more items lie than are listed: squares, the darker the more of them there are, and from the level on where they are few, outlines. */
const crowdLayers: LayerSpecification[] = [
  { id: "density", type: "fill", source: "crowd", "source-layer": "density", paint: {
    "fill-color": ["interpolate", ["linear"], ["log10", ["max", 1, ["get", "n"]]], 0, "#d9efe2", 2, "#7fc4a3", 4, "#1f6f5c", 6, "#0b2f27"], "fill-opacity": 0.7 } },
  { id: "specks", type: "circle", source: "crowd", "source-layer": "items", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 2.5, "circle-color": "#1f6f5c" } },
  { id: "crowd", type: "line", source: "crowd", "source-layer": "items", paint: { "line-color": "#1f6f5c", "line-width": 0.6, "line-opacity": 0.6 } },
];

/** Footprints narrower than this are shown as dots. */
const dotUntilPx = 24;

/** West, south, east, north of a bbox without its heights; east runs past 180 across the antimeridian. */
function flat(bbox: number[]): [number, number, number, number] {
  const [w, s, e, n] = bbox.length === 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : bbox;
  return [w, s, e < w ? e + 360 : e, n];
}

const key = (i: Item) => `${i.collection}/${i.id}`;

export class Atlas {
  readonly map: MapLibre;
  private marker = new Marker({ color: "#d1495b" });
  private drawn = new Map<string, string>(); // item key → preset of its layer

  constructor(container: HTMLElement, start: { center: [number, number]; zoom: number }) {
    this.map = new MapLibre({
      container, style, ...start, maxZoom: 20, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      fadeDuration: 0, locale: { "Map.Title": "Map: arrow keys move it, + and − zoom, Enter shows the values at its centre" },
      canvasContextAttributes: { preserveDrawingBuffer: true, antialias: false },
    });
    this.map.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.map.addControl(new ScaleControl({ unit: "metric" }), "bottom-right");
    this.map.addControl(new AttributionControl({ compact: container.clientWidth < 640, customAttribution: "Contains modified Copernicus Sentinel data" }));
    if (container.clientWidth < 640) container.querySelector(".maplibregl-ctrl-attrib")?.classList.remove("maplibregl-compact-show");
    for (const [name, cursor] of [["mouseenter", "pointer"], ["mouseleave", ""]] as const) {
      this.map.on(name, "dots", () => { this.map.getCanvas().style.cursor = cursor; });
    }
  }

  /** West, south, east, north of the view, in degrees. */
  bounds(): [number, number, number, number] {
    const b = this.map.getBounds();
    if (b.getEast() - b.getWest() >= 360) return [-180, Math.max(-90, b.getSouth()), 180, Math.min(90, b.getNorth())];
    const wrap = (lon: number) => ((((lon + 180) % 360) + 360) % 360) - 180;
    return [wrap(b.getWest()), Math.max(-90, b.getSouth()), wrap(b.getEast()), Math.min(90, b.getNorth())];
  }

  fit(bbox: number[]) {
    const [w, s, e, n] = flat(bbox);
    this.map.fitBounds([w, s, e, n], { padding: 40, duration: 0, maxZoom: 15 });
  }

  /** The key of the item whose dot is at a place of the screen. */
  dotAt(point: MapMouseEvent["point"]): string | undefined {
    return this.map.queryRenderedFeatures(point, { layers: ["dots"] })[0]?.properties.key;
  }

  /** Shows where all items of vector tiles at an address lie: outlines, or how many there are. */
  crowd(address?: string) {
    if (this.map.getSource("crowd")) {
      for (const { id } of crowdLayers) this.map.removeLayer(id);
      this.map.removeSource("crowd");
    }
    if (!address) return;
    this.map.addSource("crowd", { type: "vector", tiles: [address], maxzoom: 12 });
    const above = this.map.getStyle().layers.find((l) => "source" in l && l.source !== "land")!.id; // under every picture
    for (const layer of crowdLayers) this.map.addLayer(layer, above);
  }

  mark(at?: { lng: number; lat: number }) {
    if (at) this.marker.setLngLat(at).addTo(this.map);
    else this.marker.remove();
  }

  footprints(items: Item[], selected?: Item) {
    const mark = (i: Item) => ({ key: key(i), selected: !!selected && key(i) === key(selected) });
    this.map.getSource<GeoJSONSource>("footprints")?.setData({
      type: "FeatureCollection",
      features: items.map((i) => ({ type: "Feature", geometry: i.geometry, properties: mark(i) })),
    });
    this.map.getSource<GeoJSONSource>("dots")?.setData({
      type: "FeatureCollection",
      features: items.map((i) => {
        const [w, s, e, n] = flat(i.bbox);
        return { type: "Feature", geometry: { type: "Point", coordinates: [(w + e) / 2, (s + n) / 2] },
          properties: { ...mark(i), until: Math.log2((360 / 512) * (dotUntilPx / Math.max(e - w, n - s, 1e-6))) } };
      }),
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
