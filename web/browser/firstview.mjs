// Measures how long the dashboard's first view takes (cmd/bench/page.go). Prints, for each address, the milliseconds
// from the navigation until the first frame after everything was there: figures, plot and tables.
import { chromium } from "playwright-core";

const { browser: executablePath, addresses } = JSON.parse(process.env.ORGSTATS_BENCH_PAGE);

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
});

// watch runs in the page before its own scripts.
function watch() {
  const figures = 16;
  const has = (selector) => document.querySelector(selector) !== null;
  const isComplete = () => document.querySelectorAll("[data-figure]").length === figures && has("canvas") && has("tbody tr") &&
    !has(".placeholder") && !has("[aria-busy=true]");
  const look = () => {
    if (isComplete()) {
      requestAnimationFrame(() => { window.complete = performance.now(); });
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
}

const took = [];
for (const address of addresses) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US" });
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto("about:blank");
  await page.goto(address);
  await page.waitForFunction(() => window.complete, undefined, { timeout: 600_000 });
  took.push(await page.evaluate(() => window.complete));
  await context.close();
}
await browser.close();
console.log(JSON.stringify(took));
