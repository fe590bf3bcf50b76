// What the tests of the dashboard in a browser share. The Go test that starts them starts the service, too, and says in
// the environment where it is (cmd/orgstats/e2e/dashboard_test.go).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";

import { chromium } from "playwright-core";

export const settings = JSON.parse(process.env.ORGSTATS_TEST_DASHBOARD);
export const { tokens } = settings;

const patience = 300_000; // only a failure takes that long
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({
  executablePath: settings.browser,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
});
after(() => browser.close());

// inPage opens the dashboard for a test, and holds against it everything that no page may do: a complaint of the
// browser, a request elsewhere, a token in an address, anything that outlives the tab.
export function inPage(name, options, run) {
  test(name, async () => {
    const { service = settings.service, token = tokens.admin, query = "", scheme = "light", width = 1280, isLive = false } = options;
    const context = await browser.newContext({
      colorScheme: scheme, viewport: { width, height: 900 }, timezoneId: "Asia/Kathmandu", locale: "en-US", acceptDownloads: true,
    });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const problems = watch(page, service);
    try {
      if (isLive) {
        await page.clock.install();
      }
      const [path, live] = [`${service}/${query || "?window=30d"}`, isLive ? "" : "&live=off"];
      await page.goto(`${path}${live}#token=${token}`);
      await run(page);
      assert.deepEqual(problems, []);
      assert.deepEqual(await context.cookies(), []);
      assert.equal(await page.evaluate(() => localStorage.length), 0);
    } catch (error) {
      error.message += `\nat ${page.url()}\n${problems.join("\n")}\n${await textOf(page)}`;
      throw error;
    } finally {
      await context.close();
    }
  });
}

// textOf returns what a page shows, for whoever reads why a test failed.
const textOf = (page) => page.locator("main").evaluate((main) => {
  main.querySelectorAll("select").forEach((select) => select.remove());
  return main.innerText.slice(0, 3000);
}).catch(() => "");

// embedded opens an application that embeds the dashboard.
export function embedded(name, application, run) {
  test(name, async () => {
    const context = await browser.newContext();
    context.setDefaultTimeout(patience);
    try {
      const page = await context.newPage();
      await page.goto(application);
      await run(page, page.frameLocator("iframe"));
    } finally {
      await context.close();
    }
  });
}

function watch(page, service) {
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`));
  page.on("console", (message) => {
    const isAnswer = message.text().startsWith("Failed to load resource"); // what failed is up to the test
    if (["error", "warning"].includes(message.type()) && !isAnswer) {
      problems.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(service) && !request.url().startsWith("blob:")) {
      problems.push(`a request elsewhere: ${request.url()}`);
    }
    if (Object.values(tokens).some((token) => request.url().includes(token))) {
      problems.push("a token in a request's address");
    }
  });
  return problems;
}

// eventually waits until what is expected holds.
export async function eventually(expectation) {
  for (const end = Date.now() + patience; ;) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

// ask asks the service itself, so that the page can be compared with what it says.
export async function ask(url, token = tokens.admin) {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(response.status, 200, url);
  return url.includes("format=csv") ? response.text() : response.json();
}

// asked returns the question that an action leads to, once it was answered.
export async function asked(page, name, action, filter = () => true) {
  const asking = page.waitForRequest((request) => {
    const url = new URL(request.url());
    return url.pathname === `/api/dashboard/${name}` && filter(url.searchParams);
  });
  await action();
  await (await asking).response();
  return (await asking).url();
}

const format = new Intl.NumberFormat("en-US");
export const shown = (value) => format.format(value);

// expectTiles waits until the tiles show an answer.
export async function expectTiles(page, answer) {
  await eventually(async () => {
    const tiles = await page.locator("[data-figure]").evaluateAll((all) => all.map((e) => [e.dataset.figure, e.textContent]));
    assert.equal(tiles.length, 16);
    for (const [name, text] of tiles) {
      assert.equal(text, shown(answer[name]), name);
    }
  });
}

// expectTable waits until a table shows an answer of getBreakdown, in its order.
export async function expectTable(page, caption, answer, figure, nameOf = (value) => value) {
  await eventually(async () => {
    const table = page.getByRole("table", { name: caption });
    const heads = await table.locator("thead th").allInnerTexts();
    const column = heads.findIndex((head) => head.trim().replace(/\s*[↓↑]$/, "") === figure.label);
    const rows = await table.locator("tbody tr:not(.other)").evaluateAll((all, at) =>
      all.map((row) => [row.cells[0].textContent, row.cells[at].textContent]), column);
    assert.deepEqual(rows, answer.rows.map((row) => [nameOf(row.value), shown(row.stats[figure.name])]));
    const total = await table.locator(`tfoot tr > :nth-child(${column + 1})`).textContent();
    assert.equal(total, shown(answer.total.stats[figure.name]));
  });
}

// expectAccessible lets axe look at the page as it is.
export async function expectAccessible(page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => (await globalThis.axe.run()).violations);
  assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => `${node.html} ${node.failureSummary}`)]), []);
}

// loaded waits until every panel has an answer.
export async function loaded(page) {
  await page.getByRole("table", { name: "Messages by agent" }).waitFor();
  await page.getByRole("table", { name: "Files by knowledge base" }).waitFor();
  await page.locator(".legend").waitFor();
  await eventually(async () => assert.equal(await page.locator("[aria-busy=true]").count(), 0));
}

export const control = async (command) => {
  const response = await fetch(`${settings.control}/${command}`);
  assert.equal(response.status, 200, command);
  return response.text();
};
