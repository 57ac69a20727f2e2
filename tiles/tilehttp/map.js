// A web map of one item in a few lines: XYZ tiles of the tilejson.json beside this page, drag, wheel, and values on a click.
"use strict";

const view = document.getElementById("map");
const say = (id, text) => { document.getElementById(id).textContent = text; };
const state = { z: 0, x: 0.5, y: 0.5 }; // zoom level; centre as a share of the world, 0..1 from the north-west
const shown = new Map(); // tile key → <img>
const question = new URLSearchParams(location.search); // of points: without what only TileJSON knows
for (const name of ["tile_format", "tile_scale", "minzoom", "maxzoom"]) question.delete(name);
let map; // the TileJSON

const toX = (lon) => (lon + 180) / 360;
const toY = (lat) => (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2;
const toLon = (x) => x * 360 - 180;
const toLat = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;
const worldPx = () => map.tileSize * 2 ** state.z;

function draw() {
  const world = worldPx(), side = map.tileSize, n = 2 ** state.z;
  const left = state.x * world - view.clientWidth / 2, top = state.y * world - view.clientHeight / 2;
  const wanted = new Set();
  for (let y = Math.max(0, Math.floor(top / side)); y <= Math.min(n - 1, (top + view.clientHeight) / side); y++) {
    for (let x = Math.floor(left / side); x <= (left + view.clientWidth) / side; x++) {
      const key = `${state.z}/${x}/${y}`;
      wanted.add(key);
      let img = shown.get(key);
      if (!img) {
        img = new Image(side, side);
        img.alt = "";
        img.src = map.tiles[0].replace("{z}", state.z).replace("{x}", ((x % n) + n) % n).replace("{y}", y);
        shown.set(key, img);
        view.append(img);
      }
      img.style.transform = `translate(${Math.round(x * side - left)}px, ${Math.round(y * side - top)}px)`;
    }
  }
  for (const [key, img] of shown) {
    if (wanted.has(key)) continue;
    img.src = ""; // gives up a tile that is still on its way
    img.remove();
    shown.delete(key);
  }
  say("place", `zoom ${state.z} · ${toLon(state.x).toFixed(4)}, ${toLat(state.y).toFixed(4)}`);
}

// zoom keeps the place under (px, py) where it is.
function zoom(by, px = view.clientWidth / 2, py = view.clientHeight / 2) {
  const z = Math.max(0, Math.min(map.maxzoom + 3, 24, state.z + by));
  const dx = px - view.clientWidth / 2, dy = py - view.clientHeight / 2, before = worldPx();
  state.z = z;
  const shift = 1 / before - 1 / worldPx();
  move(dx * shift, dy * shift);
}

function move(dx, dy) {
  state.x = (((state.x + dx) % 1) + 1) % 1;
  state.y = Math.max(0, Math.min(1, state.y + dy));
  draw();
}

async function ask(px, py) {
  const lon = toLon(state.x + (px - view.clientWidth / 2) / worldPx()), lat = toLat(state.y + (py - view.clientHeight / 2) / worldPx());
  const wrapped = ((lon + 540) % 360) - 180;
  const answer = await fetch(`point/${wrapped.toFixed(6)},${lat.toFixed(6)}?${question}`);
  const body = await answer.json();
  if (!answer.ok) return say("values", body.detail);
  const line = (v) => `${v.name} = ${v.value === null ? "no data" : +v.value.toPrecision(5)}`;
  const results = body.values.map((value, i) => ({ name: body.band_descriptions[i], value }));
  const all = new Set([...results.map(line), ...body.bands.map(line)]);
  say("values", `${wrapped.toFixed(5)}, ${lat.toFixed(5)}\n${[...all].join("\n")}`);
}

function listen() {
  let from = null, moved = false;
  view.addEventListener("pointerdown", (e) => { from = [e.clientX, e.clientY]; moved = false; view.setPointerCapture(e.pointerId); });
  view.addEventListener("pointermove", (e) => {
    if (!from || (!moved && Math.hypot(e.clientX - from[0], e.clientY - from[1]) < 4)) return;
    moved = true;
    move((from[0] - e.clientX) / worldPx(), (from[1] - e.clientY) / worldPx());
    from = [e.clientX, e.clientY];
  });
  view.addEventListener("pointerup", (e) => { from = null; if (!moved) ask(e.clientX, e.clientY); });
  let turned = 0;
  view.addEventListener("wheel", (e) => {
    e.preventDefault();
    turned += e.deltaY;
    if (Math.abs(turned) < 60) return;
    zoom(turned < 0 ? 1 : -1, e.clientX, e.clientY);
    turned = 0;
  }, { passive: false });
  view.addEventListener("keydown", (e) => {
    const step = 100 / worldPx();
    const keys = { "+": () => zoom(1), "-": () => zoom(-1), ArrowLeft: () => move(-step, 0), ArrowRight: () => move(step, 0), ArrowUp: () => move(0, -step), ArrowDown: () => move(0, step) };
    keys[e.key]?.();
  });
  document.getElementById("in").addEventListener("click", () => zoom(1));
  document.getElementById("out").addEventListener("click", () => zoom(-1));
  addEventListener("resize", draw);
}

async function start() {
  const answer = await fetch("tilejson.json" + location.search);
  const body = await answer.json();
  if (!answer.ok) return say("title", body.detail);
  map = body;
  say("title", map.name);
  document.title = map.name;
  state.x = toX(map.center[0]);
  state.y = toY(map.center[1]);
  const [west, south, east, north] = map.bounds;
  const share = Math.max((toX(east) - toX(west)) / view.clientWidth, (toY(south) - toY(north)) / view.clientHeight);
  state.z = Math.max(0, Math.min(map.maxzoom + 2, Math.floor(Math.log2(0.95 / share / map.tileSize))));
  listen();
  draw();
}

start();
