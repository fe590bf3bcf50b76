// Bundles the page into the files that the program embeds.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const bundle = new URL("../service/dashboard/bundle/", import.meta.url);
// What a browser fetches at the first view may not grow beyond this many bytes, compressed.
const mostBytes = 250_000;

process.chdir(import.meta.dirname);
const { outputFiles } = await build({
  absWorkingDir: import.meta.dirname, entryPoints: ["src/main.tsx"], bundle: true, minify: true, format: "esm", target: "es2022",
  jsx: "automatic", jsxImportSource: "preact", outdir: "out", write: false, charset: "utf8", logLevel: "warning",
});
const assets = Object.fromEntries(outputFiles.map((file) => [file.path.split("/").at(-1), file.contents]));
assets["icon.svg"] = readFileSync("src/icon.svg");

// Names hold a hash of the content, so that browsers may keep a file for as long as they like.
let page = readFileSync("src/index.html", "utf8");
const files = { "assets/licenses.txt": licenses() };
for (const [name, content] of Object.entries(assets)) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const hashed = name.replace(".", `-${hash}.`);
  files[`assets/${hashed}`] = content;
  page = page.replaceAll(`{{${name}}}`, hashed);
}
files["index.html"] = page;

const size = Object.values(files).reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
if (size > mostBytes) {
  throw new Error(`the page has ${size} bytes compressed, more than ${mostBytes}`);
}
rmSync(new URL("assets", bundle), { recursive: true, force: true });
mkdirSync(new URL("assets", bundle), { recursive: true });
for (const [name, content] of Object.entries(files)) {
  writeFileSync(new URL(name, bundle), content);
}
console.log(`the page has ${size} bytes compressed`);

// licenses are those of the libraries in the bundle, which ask for their text to go with it.
function licenses() {
  return ["preact", "uplot"].map((name) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    return `${name} ${version}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}\n`;
  }).join("\n");
}
