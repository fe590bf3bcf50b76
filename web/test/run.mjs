// Runs the tests of what needs no browser, with Node's own runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

process.chdir(import.meta.dirname);
const outdir = mkdtempSync(join(import.meta.dirname, ".run-"));
try {
  const entryPoints = readdirSync(".").filter((name) => name.endsWith(".test.ts")).map((name) => `./${name}`);
  const absWorkingDir = import.meta.dirname;
  await build({ absWorkingDir, entryPoints, bundle: true, platform: "node", format: "esm", outdir, outExtension: { ".js": ".mjs" } });
  const files = readdirSync(outdir).map((name) => join(outdir, name));
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(outdir, { recursive: true });
}
