// The server's answers, as far as the page reads them, and the requests that get them.
import type { Geometry } from "geojson";

export type Render = { title?: string; assets?: string[]; expression?: string };
export type Extent = { spatial: { bbox: number[][] }; temporal: { interval: (string | null)[][] } };
export type Collection = { id: string; title?: string; description: string; renders?: Record<string, Render>; extent: Extent };
export type Asset = { href: string; title?: string; type?: string; roles?: string[]; bands?: { name: string }[] };
export type Item = {
  id: string; collection: string; bbox: number[]; geometry: Geometry;
  properties: { datetime: string | null; start_datetime?: string; title?: string; platform?: string; "eo:cloud_cover"?: number };
  assets: Record<string, Asset>;
};
export type Page = { features: Item[]; numberMatched?: number; links: { rel: string; href: string }[] };
export type Value = { name: string; value: number | null };
export type BandValue = Value & { asset: string; band: string; stored: number | null };
export type Point = { coordinates: [number, number]; bands: BandValue[]; values: (number | null)[]; band_descriptions: string[] };
export type Query = { bbox: [number, number, number, number]; collection: string; from: string; to: string };

/** How many items one look at the map lists. */
export const pageSize = 50;

async function get<T>(url: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(url, { headers: { Accept: "application/json" }, signal });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? `${answer.status} ${answer.statusText}`);
  return body;
}

export const collections = async () => (await get<{ collections: Collection[] }>("/collections")).collections;

export function search(q: Query, signal: AbortSignal) {
  const parameters = new URLSearchParams({ limit: String(pageSize), bbox: q.bbox.map((v) => v.toFixed(6)).join(",") });
  if (q.collection) parameters.set("collections", q.collection);
  if (q.from || q.to) {
    parameters.set("datetime", `${q.from ? q.from + "T00:00:00Z" : ".."}/${q.to ? q.to + "T23:59:59Z" : ".."}`);
  }
  return get<Page>("/search?" + parameters, signal);
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
export type Use = { when: string; requests: number; downloads: number; bytes: number; mean_response_s: number };
export type Mirror = {
  mirror: string; Wanted: number; Held: number; Superseded: number; Quarantined: number; Gone: number; WantedBytes: number; HeldBytes: number;
  lag_s: number; delays: Record<string, number>; troubles: { Name: string; Reason: string }[] | null;
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
