// Builds the page into web/dist: hashed scripts and styles under ui/, and index.html that names them.
import { build } from "esbuild";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";

const dist = "../dist";
for (const name of await readdir(dist)) {
  if (name !== ".gitkeep") await rm(`${dist}/${name}`, { recursive: true });
}
await mkdir(`${dist}/ui`, { recursive: true });
const result = await build({
  entryPoints: ["src/main.tsx"], outdir: `${dist}/ui`, entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]",
  bundle: true, splitting: true, format: "esm", minify: true, target: "es2021", metafile: true, legalComments: "none",
  jsx: "automatic", jsxImportSource: "preact",
});
const outputs = Object.entries(result.metafile.outputs);
const entry = outputs.find(([, o]) => o.entryPoint === "src/main.tsx");
const html = (await readFile("index.html", "utf8"))
  .replace("{script}", "/ui/" + basename(entry[0]))
  .replace("{style}", "/ui/" + basename(entry[1].cssBundle));
await cp("public", `${dist}/ui`, { recursive: true });
await cp("node_modules/maplibre-gl/LICENSE.txt", `${dist}/ui/LICENSE-maplibre-gl.txt`);
await cp("node_modules/preact/LICENSE", `${dist}/ui/LICENSE-preact.txt`);
await writeFile(`${dist}/index.html`, html);
