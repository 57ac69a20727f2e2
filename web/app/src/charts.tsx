// Charts of a dashboard, as SVG that needs no library: each bar tells its number, and the whole says what it shows.

export type Point = { when: string; value: number };

const days = (when: string) => Date.parse(when + "-01-01".slice(3 * ((when.length - 4) / 3))) / 864e5;
const width = 640, height = 130;

/** Values over time, a bar each; days without a value are gaps. */
export function Bars(p: { title: string; points: Point[]; format: (v: number) => string }) {
  const most = Math.max(...p.points.map((q) => q.value), 0);
  if (most === 0) return <figure class="chart"><figcaption>{p.title}</figcaption><p class="none">Nothing yet</p></figure>;
  const first = p.points[0].when, last = p.points[p.points.length - 1].when;
  const unit = first.length === 10 ? 1 : first.length === 7 ? 28 : 365, begin = days(first), span = days(last) - begin + unit;
  const thick = Math.max((width * unit) / Math.max(span, 12 * unit) * 0.85, 1);
  return <figure class="chart">
    <figcaption>{p.title} <small>up to {p.format(most)}</small></figcaption>
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={`${p.title}, ${first} to ${last}: up to ${p.format(most)}`}>
      {p.points.map((q) => <rect key={q.when} x={((days(q.when) - begin) / Math.max(span, 12 * unit)) * width} width={thick}
        y={height - (height * q.value) / most} height={(height * q.value) / most}><title>{`${q.when}: ${p.format(q.value)}`}</title></rect>)}
    </svg>
    <div class="axis"><span>{first}</span>{last !== first && <span>{last}</span>}</div>
  </figure>;
}

/** A table of which one column is drawn as bars too. */
export function Ranking(p: { title: string; columns: string[]; rows: { name: string; share: number; cells: string[] }[] }) {
  const most = Math.max(...p.rows.map((r) => r.share), 1);
  return <section class="ranking"><h2>{p.title}</h2>
    {p.rows.length === 0 ? <p class="none">Nothing yet</p> : <table>
      <thead><tr>{p.columns.map((c) => <th key={c} scope="col">{c}</th>)}</tr></thead>
      <tbody>{p.rows.map((r) => <tr key={r.name}>
        <th scope="row"><svg viewBox="0 0 60 8" aria-hidden="true"><rect width={(60 * r.share) / most} height="8" /></svg>{r.name}</th>{r.cells.map((cell, i) => <td key={i}>{cell}</td>)}
      </tr>)}</tbody></table>}
  </section>;
}
