// The dashboard: what the archive holds, what comes in and goes out, who uses it, and how the mirrors do.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import * as api from "./api";
import { Header } from "./header";
import { Bars, Ranking } from "./charts";

const refreshEveryMs = 60_000;

const whole = (v: number) => Math.round(v).toLocaleString("en");

/** Bytes in the unit that leaves three digits at most. */
export function volume(bytes: number): string {
  let unit = 0;
  for (; bytes >= 999.5 && unit < 5; unit++) bytes /= 1000;
  return `${bytes.toLocaleString("en", { maximumSignificantDigits: 3 })} ${["B", "kB", "MB", "GB", "TB", "PB"][unit]}`;
}

export function duration(s: number): string {
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const) {
    if (s >= size) return `${(s / size).toLocaleString("en", { maximumSignificantDigits: 2 })} ${name}`;
  }
  return `${(s * 1000).toLocaleString("en", { maximumSignificantDigits: 2 })} ms`;
}

export function Statistics() {
  const [figures, setFigures] = useState<api.Figures>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    document.title = "Statistics · Swath";
    const look = () => api.statistics().then((f) => { setFigures(f); setProblem(""); }, (err: Error) => setProblem(err.message));
    void look();
    const every = setInterval(look, refreshEveryMs);
    return () => clearInterval(every);
  }, []);
  return <div class="board">
    <Header title="Statistics" here="Statistics" />
    <main>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {figures ? <Board f={figures} /> : !problem && <p aria-live="polite">Loading…</p>}
    </main>
  </div>;
}

function Board({ f }: { f: api.Figures }) {
  const out = f.bandwidth_out, recent = f.response_30_days;
  const sent = (of: (y: api.Use) => number) => out.years.reduce((sum, y) => sum + of(y), 0);
  const distributed = sent((y) => y.download_bytes), drawn = sent((y) => y.drawn_bytes), others = sent((y) => y.bytes) - distributed - drawn;
  const totals = (rows: api.Total[]) => rows.map((t) => ({ name: t.name || "unknown", share: t.products, cells: [whole(t.products), volume(t.bytes)] }));
  return <>
    <dl class="numbers">
      <Number name="Products" value={whole(f.products)} />
      <Number name="Volume held" value={volume(f.bytes)} />
      <Number name="Volume distributed" value={volume(distributed)} more={`beside ${volume(drawn)} of maps and values, ${volume(others)} of answers`} />
      <Number name="Accounts" value={whole(f.users.registered)} more={`${whole(f.users.active_30_days)} active in 30 days`} />
      <Number name="Requests, 30 days" value={whole(recent.requests)} more={`${duration(recent.mean_s)} on average`} />
      <Number name="Downloads, 30 days" value={whole(recent.downloads)} more={`${duration(recent.download_mean_s)} on average with staging`} />
      <Number name="From the archive, 30 days" value={whole(f.staging.served_30_days)} more={`${duration(f.staging.mean_wait_s)} of waiting on average`} />
    </dl>
    <div class="charts">
      <Bars title="Products by day of acquisition" points={f.acquired.days.map((d) => ({ when: d.when, value: d.products }))} format={whole} />
      <Bars title="Products by month of acquisition" points={f.acquired.months.map((d) => ({ when: d.when, value: d.products }))} format={whole} />
      <Bars title="Come in, by day" points={f.bandwidth_in.days.map((d) => ({ when: d.when, value: d.bytes }))} format={volume} />
      <Bars title="Sent in all, by day" points={out.days.map((d) => ({ when: d.when, value: d.bytes }))} format={volume} />
      <Bars title="Files distributed, by month" points={out.months.map((d) => ({ when: d.when, value: d.download_bytes }))} format={volume} />
      <Bars title="Files distributed, by year" points={out.years.map((d) => ({ when: d.when, value: d.download_bytes }))} format={volume} />
      <Bars title="Requests, by day" points={out.days.map((d) => ({ when: d.when, value: d.requests }))} format={whole} />
      <Bars title="Mean time until an answer begins, by day" points={out.days.map((d) => ({ when: d.when, value: d.mean_response_s }))} format={duration} />
      <Bars title="Accounts" points={f.users.registered_by_month.map((d) => ({ when: d.when, value: d.n }))} format={whole} />
    </div>
    <div class="tables">
      <Ranking title="Collections" columns={["Collection", "Items", "Products", "Volume"]}
        rows={f.collections.map((t) => ({ name: t.name, share: t.items ?? 0, cells: [whole(t.items ?? 0), whole(t.products), volume(t.bytes)] }))} />
      <Ranking title="Missions" columns={["Mission", "Products", "Volume"]} rows={totals(f.missions)} />
      <Ranking title="Most downloaded" columns={["Collection", "Files", "Volume"]} rows={totals(f.downloaded)} />
      <Ranking title="Most downloaded missions" columns={["Mission", "Files", "Volume"]} rows={totals(f.downloaded_missions)} />
      <Ranking title="Accounts by country" columns={["Country", "Accounts"]}
        rows={Object.entries(f.users.by_country).sort((a, b) => b[1] - a[1]).map(([name, n]) => ({ name, share: n, cells: [whole(n)] }))} />
    </div>
    {f.mirrors.map((m) => <Mirror key={m.mirror} m={m} />)}
    <p class="none">As of {new Date(f.at).toISOString().slice(0, 16).replace("T", " ")} UTC.</p>
  </>;
}

function Number(p: { name: string; value: string; more?: ComponentChildren }) {
  return <div><dt>{p.name}</dt><dd>{p.value}</dd>{p.more && <dd class="more">{p.more}</dd>}</div>;
}

/** One mirror; its delays are counted within so many hours, and drawn between two of them. */
function Mirror({ m }: { m: api.Mirror }) {
  const steps = Object.entries(m.delays).map(([name, n]) => ({ hours: parseInt(name, 10), n })).sort((a, b) => a.hours - b.hours);
  const between = steps.map((s, i) => ({ name: i === 0 ? `up to ${s.hours} h` : `${steps[i - 1].hours} to ${s.hours} h`, n: s.n - (i === 0 ? 0 : steps[i - 1].n) }));
  return <section class="mirror"><h2>Mirror {m.mirror}</h2>
    <dl class="numbers">
      <Number name="Held" value={whole(m.held)} more={volume(m.held_bytes)} />
      <Number name="Waiting" value={whole(m.wanted)} more={volume(m.wanted_bytes)} />
      <Number name="The oldest waits" value={m.wanted > 0 ? duration(m.lag_s) : "–"} />
      <Number name="In quarantine" value={whole(m.quarantined)} />
      <Number name="Superseded" value={whole(m.superseded)} />
      <Number name="Deleted at the hub" value={whole(m.gone)} />
    </dl>
    <Ranking title="From the hub's publication until searchable, 30 days" columns={["Delay", "Products"]}
      rows={between.map((s) => ({ name: s.name, share: s.n, cells: [whole(s.n)] }))} />
    {m.troubles.length > 0 && <details><summary>Failures</summary><ul>{m.troubles.map((t) => <li key={t.name}>{t.name}: {t.reason}</li>)}</ul></details>}
  </section>;
}
