// The server's answers, as far as the page reads them, and the requests that get them.
import type { Geometry } from "geojson";

export type Render = { title?: string; assets?: string[]; expression?: string };
export type Extent = { spatial: { bbox: number[][] }; temporal: { interval: (string | null)[][] } };
export type Collection = { id: string; title?: string; description: string; renders?: Record<string, Render>; extent: Extent };
export type Asset = { href: string; title?: string; type?: string; roles?: string[]; bands?: { name: string }[] };
export type Item = {
  id: string; collection: string; bbox: number[]; geometry: Geometry;
  properties: { datetime: string | null; start_datetime?: string; title?: string; platform?: string; "eo:cloud_cover"?: number };
  assets: Record<string, Asset>; links: { rel: string; href: string }[];
};
export type Page = { features: Item[]; numberMatched?: number; links: { rel: string; href: string }[] };
export type Value = { name: string; value: number | null };
export type BandValue = Value & { asset: string; band: string; stored: number | null };
export type Point = { coordinates: [number, number]; bands: BandValue[]; values: (number | null)[]; band_descriptions: string[] };
/** What is looked for: in a box, of a collection, from and to a day, with so many percent of clouds at most, by words; "" is anything. */
export type Query = { bbox: [number, number, number, number]; collection: string; from: string; to: string; clouds: string; words: string };

/** How many items one look at the map lists. */
export const pageSize = 50;

async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, signal });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? `${answer.status} ${answer.statusText}`);
  return body;
}

/** An answer that says why something was not done. */
export class Refused extends Error {
  constructor(readonly status: number, text: string) { super(text); }
}

/** Sends a change; whoever is signed in in this browser proves that the page sends it. */
async function send<T>(method: string, url: string, body?: unknown): Promise<T | undefined> {
  session ??= ways().then((w) => w.account?.csrf_token, () => undefined); // signing in or out loads the page anew
  const token = await session, headers: Record<string, string> = { Accept: "application/json", "Content-Type": "application/json" };
  if (token) headers["X-CSRF-Token"] = token;
  const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const said = answer.status === 204 ? undefined : await answer.json();
  if (!answer.ok) throw new Refused(answer.status, said?.detail ?? `${answer.status} ${answer.statusText}`);
  return said;
}
let session: Promise<string | undefined> | undefined;

export const collections = async () => (await get<{ collections: Collection[] }>("/collections")).collections;

const interval = (q: Query) => `${q.from ? q.from + "T00:00:00Z" : ".."}/${q.to ? q.to + "T23:59:59Z" : ".."}`;

/** The members of a search that hold anywhere. */
function conditions(q: Query): Record<string, string> {
  return {
    ...(q.from || q.to ? { datetime: interval(q) } : {}),
    ...(q.clouds ? { filter: `"eo:cloud_cover" <= ${+q.clouds}`, "filter-lang": "cql2-text" } : {}),
    ...(q.words.trim() ? { q: q.words.trim() } : {}),
  };
}

const ofCollection = (q: Query): Record<string, string> => (q.collection ? { collections: q.collection } : {});

export function search(q: Query, signal: AbortSignal) {
  const box = { limit: String(pageSize), bbox: q.bbox.map((v) => v.toFixed(6)).join(",") };
  return get<Page>("/search?" + new URLSearchParams({ ...box, ...ofCollection(q), ...conditions(q) }), signal);
}

const next = (p: Page) => {
  const url = p.links.find((l) => l.rel === "next")?.href;
  return url && new URL(url).pathname + new URL(url).search;
};

/** Whether more is found than a page, and those before it, list. */
export const hasMore = (p: Page) => next(p) !== undefined;

/** The page after one that has more. */
export const more = (p: Page) => get<Page>(next(p)!);

/** The address of the vector tiles of where all items lie that are looked for, whatever the box. */
export const footprints = (q: Query) =>
  `${location.origin}/footprints/WebMercatorQuad/{z}/{x}/{y}.mvt?${new URLSearchParams({ ...ofCollection(q), ...conditions(q) })}`;

/** An item by its names, as carts hold them. */
export type Name = { collection: string; id: string };
/** What goes into a cart: items, or all that a look at the map would list. */
export type Filling = { items: Name[] } | { search: Query };
export type Cart = { id: string; items: number };

const filling = (f: Filling) => "items" in f ? f : { search: { bbox: f.search.bbox.map((v) => +v.toFixed(6)),
  collections: f.search.collection ? [f.search.collection] : undefined, ...conditions(f.search) } };

export const newCart = async (f: Filling) => (await send<Cart>("POST", "/carts", filling(f)))!;
export const addToCart = async (id: string, f: Filling) => (await send<Cart>("POST", `/carts/${encodeURIComponent(id)}/items`, filling(f)))!;
export const takeFromCart = (id: string, n: Name) => send<void>("DELETE", `/carts/${encodeURIComponent(id)}/items/${encodeURIComponent(n.collection)}/${encodeURIComponent(n.id)}`);

/** The names of all items of a cart. */
export async function cartItems(id: string): Promise<Name[]> {
  const names: Name[] = [];
  for (let url: string | undefined = `/carts/${encodeURIComponent(id)}?limit=1000`; url;) {
    const page: Page = await get<Page>(url);
    names.push(...page.features.map((i) => ({ collection: i.collection, id: i.id })));
    url = next(page);
  }
  return names;
}

export const itemPath = (i: { collection: string; id: string }) =>
  `/collections/${encodeURIComponent(i.collection)}/items/${encodeURIComponent(i.id)}`;

export const item = (collection: string, id: string) => get<Item>(itemPath({ collection, id }));

/** What an item holds at a place: the bands of its data, or with a preset, its bands and its result. */
export function point(i: Item, lon: number, lat: number, render?: string) {
  const data = Object.keys(i.assets).filter((key) => i.assets[key].roles?.includes("data") && /^image\/(tiff|jp2)/.test(i.assets[key].type ?? ""));
  const asked = new URLSearchParams(render ? { render } : { assets: data.join(",") });
  return get<Point>(`${itemPath(i)}/point/${lon.toFixed(7)},${lat.toFixed(7)}?${asked}`);
}

export const tileJSON = (i: Item, render: string) =>
  `${location.origin}${itemPath(i)}/tilejson.json?render=${encodeURIComponent(render)}`;

/** How one signs in here, and who is signed in. */
export type Ways = { passwords: boolean; issuer: boolean; account: { name: string; role: string; csrf_token?: string } | null };

export const ways = () => get<Ways>("/auth/login?f=json");

export type Total = { name: string; items?: number; products: number; bytes: number };
export type Period = { when: string; products: number; bytes: number };
export type Use = { when: string; requests: number; bytes: number; downloads: number; download_bytes: number; drawn: number; drawn_bytes: number; mean_response_s: number };
export type Mirror = {
  mirror: string; wanted: number; held: number; superseded: number; quarantined: number; gone: number; wanted_bytes: number; held_bytes: number;
  lag_s: number; delays: Record<string, number>; troubles: { name: string; reason: string }[];
};
export type Figures = {
  at: string; products: number; bytes: number; collections: Total[]; missions: Total[]; downloaded: Total[]; downloaded_missions: Total[]; mirrors: Mirror[];
  acquired: { days: Period[]; months: Period[] }; bandwidth_in: { days: Period[] };
  bandwidth_out: { days: Use[]; months: Use[]; years: Use[] };
  staging: { served_30_days: number; mean_wait_s: number };
  response_30_days: { requests: number; mean_s: number; downloads: number; download_mean_s: number };
  users: { registered: number; active_30_days: number; registered_by_month: { when: string; n: number }[]; by_country: Record<string, number> };
};

/** The figures of the dashboard. */
export const statistics = () => get<Figures>("/stats");
