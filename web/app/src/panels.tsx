// The parts of the page beside the map.
import { CartButton, type Basket } from "./cart";
import { hasMore, itemPath, type BandValue, type Item, type Page, type Value } from "./api";

export function Pick(p: { label: string; value: string; options: [string, string][]; onPick: (value: string) => void }) {
  return <label>{p.label} <select value={p.value} onChange={(e) => p.onPick(e.currentTarget.value)}>
    {p.options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
  </select></label>;
}

/** The presets as buttons: the usual ones are one press away. */
export function Legend(p: { presets: [string, string][]; preset: string; onPick: (name: string) => void }) {
  return <div class="presets" role="group" aria-label="Presets">
    {p.presets.map(([name, title]) => <button key={name} data-preset={name} title={title} aria-pressed={name === p.preset} onClick={() => p.onPick(name)}>{name}</button>)}
  </div>;
}

export function ItemList(p: { page: Page; searching: boolean; selected?: Item; onSelect: (item?: Item) => void; onMore: () => void; cart: Basket }) {
  const { features, numberMatched } = p.page;
  return <section class="items" aria-label="Items in the view">
    <h2 aria-live="polite">{features.length === 0 ? (p.searching ? "Searching…" : "Nothing in this view") : `${numberMatched ?? features.length + (hasMore(p.page) ? "+" : "")} in this view`}</h2>
    <ul>{features.map((i) => {
      const on = p.selected?.id === i.id && p.selected.collection === i.collection;
      const thumbnail = Object.values(i.assets).find((a) => a.roles?.includes("thumbnail"));
      return <li key={i.collection + "/" + i.id} class={on ? "selected" : ""}>
        <button aria-pressed={on} onClick={() => p.onSelect(on ? undefined : i)}>
          {thumbnail ? <img src={new URL(thumbnail.href, location.href).href} alt="" loading="lazy" onError={(e) => { e.currentTarget.style.visibility = "hidden"; }} /> : <span class="blank" />}
          <span><b title={i.id}>{i.properties.title ?? i.id}</b><small>{day(i)} · {i.properties.platform ?? i.collection}
            {i.properties["eo:cloud_cover"] !== undefined && ` · ${i.properties["eo:cloud_cover"]!.toFixed(0)} % cloud`}</small></span>
        </button>
        <CartButton cart={p.cart} item={i} />
        <a href={itemPath(i) + "?f=html"} aria-label={"Details of " + i.id}>details</a>
      </li>;
    })}</ul>
    {hasMore(p.page) && <button class="more" onClick={p.onMore}>More</button>}
  </section>;
}

const day = (i: Item) => (i.properties.datetime ?? i.properties.start_datetime ?? "").slice(0, 10);

export function PointPanel(p: { item: Item; lon: number; lat: number; bands: BandValue[]; values: Value[]; onClose: () => void }) {
  return <section class="point" aria-label="Values at the point" onKeyDown={(e) => { if (e.key === "Escape") p.onClose(); }}>
    <button class="close" aria-label="Close" onClick={p.onClose}>×</button>
    <h2>{p.item.properties.title ?? p.item.id}</h2>
    <p>{Math.abs(p.lat).toFixed(5)}° {p.lat < 0 ? "S" : "N"}, {Math.abs(p.lon).toFixed(5)}° {p.lon < 0 ? "W" : "E"}</p>
    {p.values.length > 0 && <dl>{p.values.map((v) => <><dt>{v.name}</dt><dd>{number(v.value)}</dd></>)}</dl>}
    <table><thead><tr><th scope="col">Band</th><th scope="col">Value</th><th scope="col">Stored</th></tr></thead>
      <tbody>{p.bands.map((b) => <tr key={b.name}><td>{b.band || b.asset}</td><td>{number(b.value)}</td><td>{number(b.stored, 2)}</td></tr>)}</tbody></table>
  </section>;
}

const number = (v: number | null, decimals = 4) => v === null ? "–" : Number.isInteger(v) ? String(v) : v.toFixed(decimals);
