// Looks at the page in headless Chromium as a person would. page.mjs BASE_URL OUT_DIR NAME PASSWORD; prints a line per check and exits 1 at
// the first that fails. Requests to other hosts are blocked and count as failures.
import { createRequire } from "node:module";
import { writeFile } from "node:fs/promises";

const { chromium } = createRequire(new URL("../../../web/app/package.json", import.meta.url))("playwright-core");
const [base, out, name, password] = process.argv.slice(2);
const S2 = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042";

function check(what, ok, seen = "") {
  console.log(`${ok ? "ok     " : "FAILED "} ${what}${seen === "" ? "" : ": " + JSON.stringify(seen)}`);
  if (!ok) process.exit(1);
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--force-color-profile=srgb"],
});
const page = await browser.newPage({ viewport: { width: 1340, height: 800 } });
const wrong = [];
page.on("console", (m) => { if (m.type() === "error") wrong.push(m.text()); });
page.on("response", (r) => { if (r.status() >= 400) wrong.push(r.status() + " " + r.url()); });
page.on("pageerror", (e) => wrong.push(String(e)));
page.on("requestfailed", (r) => { if (r.failure()?.errorText !== "net::ERR_ABORTED") wrong.push(r.url() + " " + r.failure()?.errorText); });
await page.route("**", (route) => {
  const url = route.request().url();
  if (url.startsWith(base) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
  wrong.push("foreign request " + url);
  return route.abort();
});

/** Waits until the map is there (by asking: the page's security policy forbids the usual waiting by eval). */
async function loaded() {
  for (let i = 0; i < 300; i++) {
    if (await page.evaluate(() => !!window.swath?.map.loaded())) return;
    await page.waitForTimeout(50);
  }
  check("the map loads", false, wrong);
}

/** Waits until the map has drawn everything. */
const idle = () => page.evaluate(() => new Promise((done) => {
  const { map } = window.swath;
  const look = () => (map.loaded() && map.areTilesLoaded() && !map.isMoving() ? done() : map.once("idle", look));
  map.triggerRepaint();
  map.once("idle", look);
}));

/** Compares the canvas with a tile that lies on it pixel by pixel: the share of equal pixels (levels differ by at most 2). */
async function compare(collection, item, render, [z, x, y]) {
  await page.goto(`${base}/?${new URLSearchParams({ collection, item, render })}`);
  await loaded();
  await page.waitForSelector(".items li.selected");
  // A map pixel is a tile pixel at zoom z-1 (MapLibre counts tiles of 512); the tile's centre on a whole pixel.
  await page.evaluate(([z, x, y]) => {
    const n = 2 ** z, lon = ((x + 0.5) / n) * 360 - 180;
    const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + 0.5)) / n))) * 180) / Math.PI;
    window.swath.map.jumpTo({ center: [lon, lat], zoom: z - 1 });
  }, [z, x, y]);
  await page.evaluate(() => window.swath.map.setLayoutProperty("footprints", "visibility", "none"));
  await page.waitForTimeout(300);
  await idle();
  return page.evaluate(async ([tile]) => {
    const canvas = window.swath.map.getCanvas(), side = 256;
    const bitmap = await createImageBitmap(await (await fetch(tile)).blob());
    const pixels = (source, left, top) => {
      const c = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
      c.drawImage(source, left, top, side, side, 0, 0, side, side);
      return c.getImageData(0, 0, side, side).data;
    };
    const want = pixels(bitmap, 0, 0), got = pixels(canvas, canvas.width / 2 - side / 2, canvas.height / 2 - side / 2);
    let opaque = 0, equal = 0;
    for (let i = 0; i < want.length; i += 4) {
      if (want[i + 3] < 255) continue;
      opaque++;
      if ([0, 1, 2].every((k) => Math.abs(want[i + k] - got[i + k]) <= 2)) equal++;
    }
    return { opaque, equal: equal / opaque };
  }, [`${base}/collections/${collection}/items/${item}/tiles/WebMercatorQuad/${z}/${x}/${y}.png?render=${render}`]);
}

await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items li");
check("the items of the view are listed", (await page.locator(".items li").count()) >= 5, await page.locator(".items h2").innerText());
await page.screenshot({ path: `${out}/start.png` });

for (const [collection, item, render, tile] of [
  ["sentinel-2-l1c", S2, "ndvi", [9, 472, 301]], ["sentinel-2-l1c", S2, "true-color", [9, 472, 301]],
  ["spain-flood-2019", "spain-flood-2019-s2", "ndvi", [14, 8157, 6313]], ["spain-flood-2019", "spain-flood-2019-s2", "false-color", [14, 8157, 6313]],
]) {
  const { opaque, equal } = await compare(collection, item, render, tile);
  await page.screenshot({ path: `${out}/${collection}-${render}.png` });
  check(`${item} drawn as ${render} has the tile's pixels`, opaque > 20000 && equal > 0.995, { opaque, equal });
}

// A click shows the bands and NDVI, computed from what is shown.
await page.goto(`${base}/?${new URLSearchParams({ collection: "sentinel-2-l1c", item: S2, render: "true-color" })}`);
await loaded();
await page.waitForSelector(".items li.selected");
await idle();
const canvas = await page.locator(".maplibregl-canvas").boundingBox();
await page.mouse.click(canvas.x + canvas.width / 2 - 60, canvas.y + canvas.height / 2);
await page.waitForSelector(".point table");
const shown = await page.evaluate(() => ({
  bands: Object.fromEntries([...document.querySelectorAll(".point tbody tr")].map((r) => [r.cells[0].innerText, Number(r.cells[1].innerText)])),
  ndvi: Number(document.querySelector(".point dd").innerText),
}));
const { B04, B08 } = shown.bands;
check("a click shows the bands and NDVI", Object.keys(shown.bands).length >= 13 && Math.abs(shown.ndvi - (B08 - B04) / (B08 + B04)) < 2e-3, shown);
await page.screenshot({ path: `${out}/point.png` });

await page.click("button[data-preset=ndvi]");
await idle();
check("the address follows the preset", (await page.evaluate(() => new URLSearchParams(location.search).get("render"))) === "ndvi");
// The keyboard reaches everything, and asks for values at the map's centre.
await page.goto(`${base}/?${new URLSearchParams({ collection: "sentinel-2-l1c", item: S2, render: "ndvi" })}`);
await loaded();
await page.waitForSelector(".items li.selected");
await idle();
const reached = new Set();
for (let i = 0; i < 60 && !reached.has("CANVAS"); i++) {
  await page.keyboard.press("Tab");
  reached.add(await page.evaluate(() => document.activeElement.dataset.preset ?? document.activeElement.tagName));
}
check("Tab reaches filters, presets, items and the map", ["SELECT", "INPUT", "ndvi", "BUTTON", "A", "CANVAS"].every((name) => reached.has(name)), [...reached]);
await page.keyboard.press("Enter");
await page.waitForSelector(".point table");
await page.keyboard.press("Escape");
check("Enter on the map shows values, Escape closes them", (await page.locator(".point").count()) === 0);
const nameless = await page.evaluate(() => [...document.querySelectorAll("a,button,input:not([type=hidden]),select")].filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map((e) => e.outerHTML));
check("every control has a name", nameless.length === 0, nameless);

// An item goes into the cart and stays there when the page is loaded again; all of the view can be added; what is taken out is out.
const inCart = () => page.locator(".cart summary").innerText();
const cartBecomes = async (text) => { for (let i = 0; i < 600 && (await inCart()) !== text; i++) await page.waitForTimeout(50); return (await inCart()) === text; };
await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items li");
await page.locator(".items li .put").first().click();
check("a press on + puts an item into the cart", await cartBecomes("Cart: 1 item"), await inCart());
await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items li");
check("the cart is there again", await cartBecomes("Cart: 1 item"), await inCart());
await page.click(".cart summary");
await page.click(".cart .all");
const everything = await page.locator(".items li").count();
check("all of the view go into the cart", await cartBecomes(`Cart: ${everything} items`), [everything, await inCart()]);
await page.screenshot({ path: `${out}/cart.png` });
await page.locator(".items li .put[aria-pressed=true]").first().click();
check("another press takes an item out", await cartBecomes(`Cart: ${everything - 1} items`), await inCart());
const cartID = (await page.locator(".cart code").innerText()).match(/--cart (\S+)/)[1];
const kept = await (await fetch(`${base}/carts/${cartID}`)).json();
check("the server's cart is the same", kept.features.length === everything - 1 && (await page.locator(".items li .put[aria-pressed=true]").count()) === everything - 1, kept.features.length);

// Clouds and words narrow the list, and stand in the address.
const listed = async (want) => {
  const ids = () => page.locator(".items li b").evaluateAll((all) => all.map((b) => b.title).join());
  for (let i = 0; i < 600 && !want(await ids()); i++) await page.waitForTimeout(50);
  return ids();
};
await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items li");
await page.fill(".filters input[type=number]", "5");
await page.locator(".filters input[type=number]").blur();
const clear = await (await fetch(`${base}/search?filter=${encodeURIComponent('"eo:cloud_cover" <= 5')}`)).json();
const names = (of) => of.features.map((f) => f.id).join();
check("clouds narrow the list", clear.features.length >= 1 && (await listed((ids) => ids === names(clear))) === names(clear), names(clear));
await page.fill(".filters input[type=number]", "");
await page.fill(".filters input[type=search]", "crop");
await page.locator(".filters input[type=search]").blur();
const flood = await (await fetch(`${base}/search?q=crop`)).json();
check("words narrow the list", flood.features.length >= 1 && (await listed((ids) => ids === names(flood))) === names(flood), names(flood));
await page.goto(page.url());
check("a link has the words in it", (await listed((ids) => ids === names(flood))) === names(flood), page.url());

// Where more are found than are listed, all of them are on the map, and a press lists the next of them.
await page.route(/\/search\?/, (route) => route.fallback({ url: route.request().url().replace("limit=50", "limit=2") }));
await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items .more");
await idle();
const crowd = await page.evaluate(() => [...new Set(window.swath.map.querySourceFeatures("crowd", { sourceLayer: "items" }).map((f) => f.properties.id))].sort().join());
const all = names(await (await fetch(`${base}/search`)).json()).split(",");
check("the outlines of all are on the map", crowd === [...all].sort().join(), crowd);
for (let n = 2; n < all.length; n += 2) {
  await page.click(".items .more");
  await listed((ids) => ids.split(",").length > n);
}
check("more are listed, in their order", (await listed(() => true)) === all.join() && (await page.locator(".items .more").count()) === 0);
await page.unroute(/\/search\?/);

// The dashboard shows the server's figures, in charts and tables, and loads without the map.
const heavy = [];
page.on("response", async (r) => { if (/explorer-/.test(r.url())) heavy.push(r.url()); });
await page.goto(base + "/?view=statistics");
await page.waitForSelector(".board .numbers");
const figures = await (await fetch(base + "/stats")).json();
const board = await page.evaluate(() => ({
  products: document.querySelector(".numbers dd").innerText,
  collections: [...document.querySelectorAll(".ranking:first-child tbody th")].map((e) => e.innerText.trim()),
  bars: document.querySelectorAll(".chart rect").length, wide: document.documentElement.scrollWidth,
}));
check("the dashboard shows the figures", board.products === String(figures.products) && board.collections.join() === figures.collections.map((c) => c.name).join(), board);
check("charts are drawn", board.bars >= figures.acquired.months.length + 1 && board.wide <= 1340, board.bars);
check("the dashboard loads without the map", heavy.length === 0, heavy);
await page.screenshot({ path: `${out}/statistics.png`, fullPage: true });
await page.locator(".board").evaluate((e) => e.scrollTo(0, 700));
await page.screenshot({ path: `${out}/statistics-below.png` });

// One signs in where one is, is named, and signs out again.
await page.click(".account summary");
await page.fill(".account input[name=name]", name);
await page.fill(".account input[name=password]", password);
await page.screenshot({ path: `${out}/sign-in.png` });
await page.click(".account button");
await page.waitForSelector(".board .numbers");
await page.waitForSelector(".account summary");
check("who signed in is named, at the same page", (await page.locator(".account summary").innerText()) === name, page.url());
await page.click(".account summary");
await page.click(".account button");
await page.waitForSelector(".items li");
check("who signed out is a stranger again", (await page.locator(".account summary").innerText()) === "Sign in");

// On a small screen the list is there without scrolling, nothing is wider than the screen, and a press on a dot opens its item.
await page.setViewportSize({ width: 360, height: 740 });
await page.goto(base + "/");
await loaded();
await page.waitForSelector(".items li");
await idle();
await page.screenshot({ path: `${out}/small.png` });
const fits = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, first: document.querySelector(".items li").getBoundingClientRect().bottom }));
check("a small screen shows map and list", fits.width <= 360 && fits.first <= 740, fits);
const dot = await page.evaluate(() => {
  const { map } = window.swath;
  const { x, y } = map.project([152.5, -30.3]);
  return { x: x + map.getCanvas().getBoundingClientRect().left, y: y + map.getCanvas().getBoundingClientRect().top };
});
await page.mouse.click(dot.x, dot.y);
await page.waitForSelector(".items li.selected");
check("a press on a dot opens its item", (await page.evaluate(() => new URLSearchParams(location.search).get("item"))) === S2);
check("nothing went wrong in the browser", wrong.length === 0, wrong);
await browser.close();

// A browser that draws no WebGL says so, and lists what there is.
const plain = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-3d-apis", "--disable-background-networking"] });
const flat = await plain.newPage();
await flat.goto(base + "/");
await flat.waitForSelector(".items li");
check("without WebGL there is a list", (await flat.locator(".items li").count()) === all.length && (await flat.locator(".problem").innerText()).includes("WebGL"));
await plain.close();
