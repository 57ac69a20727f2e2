// The page: what is in the view, how it is drawn, and what is at a place. Its state is in the address, so a link shows the same.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { Header } from "./header";
import type { MapMouseEvent } from "maplibre-gl";
import { CartBox, useCart } from "./cart";
import { Atlas } from "./map";
import { ItemList, Legend, Pick, PointPanel } from "./panels";

/** How many items are drawn at once: each is a layer of its own. */
const mostDrawn = 12;

/** Where the page is wide enough for the list beside the map. */
const wideScreen = matchMedia("(min-width: 721px)");

type Picked = { item: api.Item; lon: number; lat: number; bands: api.BandValue[]; values: api.Value[] };

const everywhere: ReturnType<Atlas["bounds"]> = [-180, -90, 180, 90];

const address = () => new URLSearchParams(location.search);

export function Explorer() {
  const container = useRef<HTMLDivElement>(null);
  const atlas = useRef<Atlas>();
  const [ready, setReady] = useState(false);
  const [collections, setCollections] = useState<api.Collection[]>([]);
  const [collection, setCollection] = useState(address().get("collection") ?? "");
  const [from, setFrom] = useState(address().get("from") ?? "");
  const [to, setTo] = useState(address().get("to") ?? "");
  const [clouds, setClouds] = useState(address().get("clouds") ?? "");
  const [words, setWords] = useState(address().get("words") ?? "");
  const [preset, setPreset] = useState(address().get("render") ?? "true-color");
  const [opacity, setOpacity] = useState(1);
  const [page, setPage] = useState<api.Page>({ features: [], links: [] });
  const [searching, setSearching] = useState(true);
  const [wide, setWide] = useState(wideScreen.matches);
  const [view, setView] = useState<ReturnType<Atlas["bounds"]>>();
  const [selected, setSelected] = useState<api.Item>();
  const [picked, setPicked] = useState<Picked | "nothing">(); // nothing was measured where one asked
  const [problem, setProblem] = useState("");
  const fail = (err: unknown) => { if ((err as Error).name !== "AbortError") setProblem((err as Error).message); };
  const cart = useCart(fail);

  // The map, once; it starts at the item or collection of the address, else where there is something to see.
  useEffect(() => {
    let a: Atlas;
    try {
      a = new Atlas(container.current!, { center: [10, 30], zoom: 1.4 });
    } catch { // what is there can be listed all the same
      setProblem("This browser has no WebGL, which the map is drawn by.");
      api.collections().then(setCollections, fail).finally(() => setView(everywhere));
      return;
    }
    atlas.current = a;
    Object.assign(window, { swath: { map: a.map } }); // for people at the console
    const loaded = new Promise((done) => a.map.once("load", done));
    a.map.on("moveend", () => setView(a.bounds()));
    a.map.on("error", (e) => fail(e.error));
    const q = address(), id = q.get("item"), name = q.get("collection");
    Promise.all([api.collections(), name && id ? api.item(name, id) : undefined, loaded]).then(([all, item]) => {
      setCollections(all);
      const start = item ? item.bbox : all.find((c) => c.id === name)?.extent.spatial.bbox[0];
      if (item) setSelected(item);
      if (q.get("at")) {
        const [lon, lat, zoom] = q.get("at")!.split(",").map(Number);
        a.map.jumpTo({ center: [lon, lat], zoom });
      } else if (start ?? all.length) a.fit(start ?? union(all.map((c) => c.extent.spatial.bbox[0])));
      setReady(true);
      setView(a.bounds());
    }, fail);
    return () => a.map.remove();
  }, []);

  useEffect(() => {
    const follow = () => setWide(wideScreen.matches);
    wideScreen.addEventListener("change", follow);
    return () => wideScreen.removeEventListener("change", follow);
  }, []);

  // The items of the view.
  const query = useMemo(() => view && { bbox: view, collection, from, to, clouds, words }, [view, collection, from, to, clouds, words]);
  useEffect(() => {
    if (!query) return;
    const abort = new AbortController();
    setSearching(true);
    api.search(query, abort.signal).then((p) => { setPage(p); if (atlas.current) setProblem(""); }, fail)
      .finally(() => { if (!abort.signal.aborted) setSearching(false); });
    return () => abort.abort();
  }, [query]);

  // Of more than are listed the map shows where all of them lie.
  const crowd = api.hasMore(page) && query ? api.footprints(query) : undefined;
  useEffect(() => { atlas.current?.crowd(crowd); }, [crowd]);

  const more = () => api.more(page).then((next) => setPage((p) => (p === page ? { ...next, features: [...p.features, ...next.features] } : p)), fail);

  const presetsOf = (i: api.Item) => drawable(i, collections.find((c) => c.id === i.collection)?.renders ?? {});
  const presets = useMemo(() => {
    const all = new Map<string, string>();
    const among = selected ? [selected] : page.features;
    for (const i of among) for (const [name, r] of Object.entries(presetsOf(i))) all.set(name, r.title ?? name);
    return [...all];
  }, [collections, page, selected]);

  // What is drawn: the selected item on top of the others of the view.
  const drawn = useMemo(() => {
    const items = selected ? [selected, ...page.features.filter((i) => i.id !== selected.id || i.collection !== selected.collection)] : page.features;
    return items.filter((i) => preset in presetsOf(i)).slice(0, mostDrawn).map((item) => ({ item, render: preset }));
  }, [page, selected, preset, collections]);

  useEffect(() => {
    if (!ready) return;
    atlas.current!.draw(drawn, opacity);
    atlas.current!.footprints(page.features, selected);
  }, [ready, drawn, opacity, page, selected]);

  // The address follows.
  useEffect(() => {
    if (!ready) return;
    const q = new URLSearchParams();
    for (const [name, value] of Object.entries({ collection: selected?.collection ?? collection, item: selected?.id, from, to, clouds, words, render: preset })) {
      if (value) q.set(name, value);
    }
    const c = atlas.current!.map.getCenter();
    q.set("at", `${c.lng.toFixed(5)},${c.lat.toFixed(5)},${atlas.current!.map.getZoom().toFixed(2)}`);
    history.replaceState(null, "", "?" + q);
  }, [ready, query, selected, preset]);

  // A click, or Enter at the centre, asks the topmost drawn item there for its bands, for NDVI and for the preset's value. A
  // click on a dot selects its item.
  useEffect(() => {
    if (!ready) return;
    const { map } = atlas.current!;
    const ask = async (at: { lng: number; lat: number }) => {
      const { lng, lat } = at;
      const lon = ((((lng + 180) % 360) + 360) % 360) - 180;
      atlas.current!.mark(at);
      setPicked(undefined);
      try {
        for (const { item } of drawn) {
          if (!inside(item.bbox, lon, lat)) continue;
          const renders = presetsOf(item);
          const named = ["ndvi", preset].filter((name, i, all) => renders[name]?.expression && all.indexOf(name) === i);
          const [all, ...results] = await Promise.all([api.point(item, lon, lat), ...named.map((name) => api.point(item, lon, lat, name))]);
          if (all.bands.every((b) => b.stored === null)) continue; // nothing was measured here: look below
          setPicked({ item, lon, lat, bands: all.bands,
            values: named.flatMap((name, i) => results[i].values.map((value) => ({ name: renders[name].title ?? name, value }))) });
          return;
        }
        setPicked("nothing");
      } catch (err) { fail(err); }
    };
    const click = (e: MapMouseEvent) => {
      const dot = atlas.current!.dotAt(e.point);
      const item = page.features.find((i) => `${i.collection}/${i.id}` === dot);
      if (item) select(item);
      else void ask(e.lngLat);
    };
    const press = (e: KeyboardEvent) => {
      if (e.key === "Enter") void ask(map.getCenter());
      if (e.key === "Escape") unpick();
    };
    map.on("click", click);
    map.getCanvas().addEventListener("keydown", press);
    return () => { map.off("click", click); map.getCanvas().removeEventListener("keydown", press); };
  }, [ready, drawn, preset, page]);

  const unpick = () => {
    setPicked(undefined);
    atlas.current!.mark();
  };

  const select = (i?: api.Item) => {
    setSelected(i);
    if (i) {
      atlas.current?.fit(i.bbox);
      if (!(preset in presetsOf(i))) setPreset(Object.keys(presetsOf(i))[0] ?? preset);
    }
  };

  return <>
    <a class="skip" href="#map" onClick={(e) => { e.preventDefault(); atlas.current?.map.getCanvas().focus(); }}>Skip to the map</a>
    <aside>
      <Header title="Swath" here="Map" />
      <details class="filters" open={wide}><summary>Filters</summary><div>
        <Pick label="Collection" value={collection} onPick={(c) => { setCollection(c); setSelected(undefined);
          const found = collections.find((k) => k.id === c); if (found) atlas.current?.fit(found.extent.spatial.bbox[0]); }}
          options={[["", "All collections"], ...collections.map((c): [string, string] => [c.id, c.title ?? c.id])]} />
        <label>From <input type="date" value={from} onInput={(e) => setFrom(e.currentTarget.value)} /></label>
        <label>To <input type="date" value={to} onInput={(e) => setTo(e.currentTarget.value)} /></label>
        <label>Clouds <span><input type="number" min="0" max="100" step="1" placeholder="any" value={clouds} onChange={(e) => setClouds(e.currentTarget.value)} /> % at most</span></label>
        <label>Words <input type="search" placeholder="title, keywords" value={words} onChange={(e) => setWords(e.currentTarget.value)} /></label>
        <Pick label="Shown as" value={preset} onPick={setPreset} options={presets.some(([n]) => n === preset) ? presets : [[preset, preset], ...presets]} />
        <label>Opacity <input type="range" min="0" max="1" step="0.05" value={opacity} onInput={(e) => setOpacity(+e.currentTarget.value)} /></label>
      </div></details>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <Legend presets={presets} preset={preset} onPick={setPreset} />
      <CartBox cart={cart} view={query} found={page.features.length} />
      <ItemList page={page} searching={searching} selected={selected} onSelect={select} onMore={more} cart={cart} />
    </aside>
    <main id="map"><div ref={container} class="map" />
      <div aria-live="polite">{picked === "nothing" ? <p class="point nothing">Nothing drawn was measured here.</p> : picked && <PointPanel {...picked} onClose={() => { unpick(); atlas.current!.map.getCanvas().focus(); }} />}</div></main>
  </>;
}

/** The presets whose assets or bands an item has here: files on other hosts aren't drawn. */
function drawable(i: api.Item, renders: Record<string, api.Render>): Record<string, api.Render> {
  const here = i.links.find((l) => l.rel === "self")?.href ?? location.href;
  const held = Object.entries(i.assets).filter(([, a]) => new URL(a.href, here).origin === new URL(here).origin);
  const names = new Set(held.flatMap(([key, a]) => [key, ...(a.bands ?? []).map((b) => b.name)]));
  return Object.fromEntries(Object.entries(renders).filter(([, r]) => (r.assets ?? []).every((name) => names.has(name))));
}

/** The box around boxes; one that crosses the antimeridian counts as going around the globe. */
function union(boxes: number[][]): number[] {
  const flat = boxes.map((b) => (b.length === 6 ? [b[0], b[1], b[3], b[4]] : b)).map(([w, s, e, n]) => (w > e ? [-180, s, 180, n] : [w, s, e, n]));
  return [0, 1, 2, 3].map((i) => (i < 2 ? Math.min : Math.max)(...flat.map((b) => b[i])));
}

/** Whether a place lies in a bbox, which may cross the antimeridian. */
function inside(bbox: number[], lon: number, lat: number): boolean {
  const [w, s, e, n] = bbox.length === 6 ? [bbox[0], bbox[1], bbox[3], bbox[4]] : bbox;
  return lat >= s && lat <= n && (w <= e ? lon >= w && lon <= e : lon >= w || lon <= e);
}
