// Executes a process from its page in headless Chromium as a person would, and looks at jobs and a subscription.
// processes.mjs BASE_URL OUT_DIR NAME PASSWORD KEY; prints a line per check and exits 1 at the first that fails.
import { createRequire } from "node:module";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const { chromium } = createRequire(new URL("../../../web/app/package.json", import.meta.url))("playwright-core");
const [base, out, name, password, key] = process.argv.slice(2);

function check(what, ok, seen = "") {
  console.log(`${ok ? "ok     " : "FAILED "} ${what}${seen === "" ? "" : ": " + JSON.stringify(seen)}`);
  if (!ok) process.exit(1);
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
const wrong = [];
page.on("console", (m) => { if (m.type() === "error" && !m.location().url.endsWith("/favicon.ico")) wrong.push(m.text()); });
page.on("pageerror", (e) => wrong.push(String(e)));
const shot = (file) => page.screenshot({ path: join(out, file), fullPage: true });
const alert = () => page.locator("[role=alert]").textContent();
const field = (input) => page.locator(`[name="input.${input}"]`);

/** Asks until something holds; pages of jobs come again by themselves. */
async function until(what, holds) {
  let seen;
  for (let i = 0; i < 300; i++) {
    try {
      if ((seen = await holds())) return check(what, true, seen);
    } catch { /* between two pages */ }
    await page.waitForTimeout(100);
  }
  await shot("failed.png");
  check(what, false, await page.content());
}

await page.goto(`${base}/processes/echo?f=html`);
check("strangers are told to sign in", await page.getByText("Executing needs an account").isVisible());
await page.goto(`${base}/auth/login`);
await page.fill("[name=name]", name);
await page.fill("[name=password]", password);
await page.click("form button");
await page.goto(`${base}/processes?f=html`);
await shot("processes.png");
await page.getByRole("link", { name: "Echo" }).first().click();
check("a process has a page", await page.locator("h1").textContent() === "Echo");

const picture = Buffer.from("89504e470d0a1a0a6e6f74207265616c6c79", "hex");
await writeFile(join(out, "picture.png"), picture);
await field("stringInput").fill("typed <here>");
await field("choiceInput").selectOption("Value2");
await field("doubleInput").fill("2.5");
await field("booleanInput").selectOption("true");
await field("arrayInput").fill("1\n2\n3");
await field("measureInput").fill('{"measurement":2.5,"uom":"m"}');
await field("boundingBoxInput").fill("1,43,2");
await page.locator('input[type=file][name="input.imageInput"]').setInputFiles(join(out, "picture.png"));
await shot("form.png");
await page.getByRole("button", { name: "Execute" }).click();
check("a wrong input is named", (await alert()).includes("boundingBoxInput"), await alert());
check("what was typed is still there", await field("stringInput").inputValue() === "typed <here>");
await field("boundingBoxInput").fill("1,43,2,44");
await field("pause_s").fill("6");
await field("publish").fill("from-a-page");
await page.locator('input[type=file][name="input.imageInput"]').setInputFiles(join(out, "picture.png"));
await field("imageInput").first().fill("http://elsewhere.example/x.png");
await page.getByRole("button", { name: "Execute" }).click();
check("a file comes by one way", (await alert()).includes("not both"), await alert());
check("what was typed is still there again", await field("pause_s").inputValue() === "6");
await field("imageInput").first().fill("");
await page.locator('input[type=file][name="input.imageInput"]').setInputFiles(join(out, "picture.png"));
await page.getByRole("button", { name: "Execute" }).click();
check("the form leads to its job", (await page.locator("h1").textContent()).startsWith("Job "));
const job = page.url();
const progress = () => page.locator("progress").first().evaluate((p) => p.value);
await until("its progress grows", async () => { const p = await progress(); return p > 10 && p < 100 && p; });
await shot("job.png");
await page.goto(`${base}/jobs?f=html`);
const row = page.locator("tr", { hasText: job.split("/").pop().split("?")[0] });
check("the list has it", (await row.textContent()).includes("running"));
const before = await row.locator("progress").evaluate((p) => p.value);
await until("the list comes again, with more progress", async () => { const p = await row.locator("progress").evaluate((e) => e.value); return p > before && p; });
await shot("jobs.png");
await page.goto(job);
await until("the page of the job comes again until its end", async () => (await page.locator("table").first().textContent()).includes("successful"));
check("results are shown", (await page.locator("body").textContent()).includes("typed <here>"));
const results = await page.evaluate(async (at) => (await fetch(at)).json(), job.replace("?f=html", "/results"));
check("inputs came as typed", JSON.stringify([results.choiceOutput, results.doubleOutput, results.booleanOutput, results.arrayOutput, results.measureOutput.value.uom, results.boundingBoxOutput]) ===
  JSON.stringify(["Value2", 2.5, true, [1, 2, 3], "m", { bbox: [1, 43, 2, 44] }]), results);
const [download] = await Promise.all([
  page.waitForEvent("download"),
  page.getByRole("link", { name: /image.*18 bytes/ }).click().catch(() => {}),
]);
check("the file that was sent comes back", (await readFile(await download.path())).equals(picture));
await page.goto(job);
await page.getByRole("link", { name: "from-a-page" }).click();
check("the item has a page", (await page.locator("body").textContent()).includes("from-a-page"));
await page.goto(job);
await shot("results.png");
await page.getByRole("button", { name: "Remove it with its results" }).click();
await until("it is removed", async () => (await page.locator("table").first().textContent()).includes("dismissed"));

const made = await fetch(`${base}/subscriptions`, { method: "POST", headers: { "X-API-Key": key, "Content-Type": "application/json" },
  body: JSON.stringify({ name: "All that comes", process: "echo", search: { collections: ["sentinel-2-l1c"] } }) });
const { id } = await made.json();
await fetch(`${base}/subscriptions/${id}/backfill`, { method: "POST", headers: { "X-API-Key": key, "Content-Type": "application/json" },
  body: JSON.stringify({ datetime: "2000-01-01T00:00:00Z/2030-01-01T00:00:00Z" }) });
const figure = async (what) => page.locator("tr", { has: page.locator("th", { hasText: what }) }).locator("td").first().textContent();
await until("a subscription's page counts what came", async () => {
  await page.goto(`${base}/subscriptions/${id}?f=html`);
  const [matched, done] = [await figure("Items that matched"), await figure("Jobs successful")];
  return parseInt(matched) >= 1 && parseInt(matched) === parseInt(done) && { matched, done };
});
await shot("subscription.png");
await page.getByRole("button", { name: "Pause it" }).click();
check("it is paused", (await figure("State")).startsWith("paused"));
await page.goto(`${base}/subscriptions?f=html`);
check("the list of subscriptions has it", (await page.locator("tr", { hasText: "All that comes" }).textContent()).includes("paused"));
await shot("subscriptions.png");
check("no errors in the console but those of refused forms", wrong.filter((w) => !w.includes("400")).length === 0, wrong);
await browser.close();
