// What a person sees and chooses.
import assert from "node:assert/strict";

import { ask, asked, control, eventually, expectTable, expectTiles, inPage, loaded, shown, tokens } from "./harness.mjs";

const messages = { name: "messageCount", label: "Messages" };
const button = (page, name) => page.getByRole("button", { name, exact: true });

inPage("the address signs in, and the token leaves it at once", {}, async (page) => {
  await loaded(page);
  assert.ok(!page.url().includes(tokens.admin) && /timeZone=Asia%2FKath?mandu/.test(page.url()));
  assert.equal(await page.evaluate(() => sessionStorage.length), 1);
  await page.reload();
  await loaded(page);
  await button(page, "Sign out").click();
  await page.getByRole("heading", { name: "A token is needed" }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

inPage("all the time that there is", { query: "?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z" }, async (page) => {
  await loaded(page);
  await expectTiles(page, await ask(await asked(page, "getStats", () => button(page, "Refresh").click())));
});

inPage("every preset is what the service answers", { query: "?window=30d" }, async (page) => {
  await loaded(page);
  for (const [name, window] of [
    ["Today", "today"], ["Yesterday", "yesterday"], ["7 days", "7d"], ["90 days", "90d"], ["This month", "month"],
    ["Last month", "last-month"], ["12 months", "12m"], ["30 days", "30d"],
  ]) {
    const url = await asked(page, "getStats", () => button(page, name).click());
    assert.equal(await button(page, name).getAttribute("aria-pressed"), "true");
    assert.equal(new URL(page.url()).searchParams.get("window"), window);
    await expectTiles(page, await ask(url));
  }
});

inPage("a window, a time zone and an interval of one's own", {}, async (page) => {
  await loaded(page);
  await button(page, "From … to").click();
  await page.getByLabel("From").fill("2026-03-29T00:00");
  await page.getByLabel("To", { exact: true }).fill("2026-03-28T12:00");
  await button(page, "Show").click();
  await page.getByRole("alert").getByText("must begin before").waitFor();
  await page.getByLabel("To", { exact: true }).fill("2026-03-30T23:59");
  const own = new URL(await asked(page, "getStats", () => button(page, "Show").click())).searchParams;
  assert.deepEqual([own.get("from"), own.get("to")], ["2026-03-28T18:15:00.000Z", "2026-03-30T18:14:59.999Z"]);
  await page.getByText("There are no messages in this window").waitFor();

  await asked(page, "getTimeSeries", () => button(page, "7 days").click());
  const inZone = await asked(page, "getTimeSeries", () => page.getByLabel("Time zone").selectOption("Europe/Berlin"));
  assert.equal(new URL(inZone).searchParams.get("timeZone"), "Europe/Berlin");
  const hours = await asked(page, "getTimeSeries", () => page.getByLabel("Interval").selectOption("hour"));
  await button(page, "Table").click();
  const table = page.getByRole("table", { name: "Messages over time" });
  const series = await ask(hours);
  await eventually(async () => assert.equal(await table.locator("tbody tr").count(), series.buckets.length));
  const values = await table.locator("tbody tr td:nth-child(2)").allInnerTexts();
  assert.deepEqual(values, series.buckets.map((bucket) => shown(bucket.stats.messageCount)));
});

inPage("rows are filters, chips take them back, and so does Back", { query: "?window=12m" }, async (page) => {
  await loaded(page);
  const markup = "<img src=x onerror=alert(1)>";
  await asked(page, "getStats", () => button(page, markup).click());
  const both = await asked(page, "getStats", async () => {
    await page.getByRole("group", { name: "Group by" }).getByRole("button", { name: "User" }).click();
    await button(page, "عائشة 🙂").click();
  }, (q) => q.has("userId"));
  assert.deepEqual(["agentId", "userId"].map((name) => new URL(both).searchParams.get(name)), [markup, "عائشة 🙂"]);
  await expectTiles(page, await ask(both));
  const shared = page.url();
  await page.reload();
  await expectTiles(page, await ask(both));
  assert.equal(page.url(), shared);
  const one = await asked(page, "getStats", () => button(page, `Remove the filter Agent ${markup}`).click());
  assert.equal(new URL(one).searchParams.get("agentId"), null);
  await page.goBack();
  await expectTiles(page, await ask(both));
  await page.goBack();
  await eventually(async () => assert.equal(new URL(page.url()).searchParams.get("userId"), null));
  await page.goForward();
  await expectTiles(page, await ask(both));
  assert.equal(await page.locator("img").count(), 0);
});

inPage("filters are added by hand", {}, async (page) => {
  await loaded(page);
  await button(page, "Add a filter").click();
  await page.getByLabel("Filter by").selectOption("metadata");
  await page.getByLabel("Key of the metadata").fill("department");
  await page.getByLabel("Value").fill("Sales");
  const url = await asked(page, "getStats", () => button(page, "Add").click());
  assert.equal(new URL(url).searchParams.get("metadataValue"), "Sales");
  await expectTiles(page, await ask(url));
});

for (const [query, chip] of [
  ["metadataKey=department", "Remove the filter department (any value)"],
  ["metadataValue=Sales", "Remove the filter Any key Sales"],
]) {
  inPage(`half a filter by metadata is one: ${query}`, { query: `?window=30d&${query}` }, async (page) => {
    await loaded(page);
    const url = await asked(page, "getStats", () => button(page, "Refresh").click());
    assert.ok(url.includes(query) && page.url().includes(query));
    await expectTiles(page, await ask(url));
    const all = await asked(page, "getStats", () => button(page, chip).click());
    assert.ok(!all.includes("metadata"));
  });
}

inPage("every group has its table", { query: "?window=12m" }, async (page) => {
  await loaded(page);
  const groups = page.getByRole("group", { name: "Group by" });
  const by = (group) => (q) => q.get("groupBy") === group && !q.has("interval");
  for (const [name, group] of [["User", "user"], ["Role", "role"]]) {
    const url = await asked(page, "getBreakdown", () => groups.getByRole("button", { name }).click(), by(group));
    await expectTable(page, `Messages by ${group}`, await ask(url), messages);
  }
  await groups.getByRole("button", { name: "Metadata" }).click();
  await page.getByLabel("Key of the metadata").fill("department");
  const metadata = await asked(page, "getBreakdown", () => button(page, "Group").click(), by("metadata"));
  await expectTable(page, "Messages by metadata", await ask(metadata), messages, (value) => value ?? "Without this key");
  await button(page, "Sales").click();
  await page.getByText("The filter by metadata does not apply to this table.").waitFor();
});

inPage("tables are sorted by any figure, and show all of 200 agents", { query: "?window=12m" }, async (page) => {
  await loaded(page);
  const nameOf = (value) => value ?? "Without an agent";
  const table = page.getByRole("table", { name: "Messages by agent" });
  const tokensOf = { name: "totalTokens", label: "Total tokens" };
  const sort = () => table.getByRole("button", { name: tokensOf.label }).click();
  const byAgent = (q) => q.get("groupBy") === "agent";
  const falling = await ask(await asked(page, "getBreakdown", sort, byAgent));
  await expectTable(page, "Messages by agent", falling, tokensOf, nameOf);
  assert.equal(await table.locator("tr.other th").textContent(), `${falling.other.groups} others`);
  const rising = await ask(await asked(page, "getBreakdown", sort, byAgent));
  assert.equal(await table.locator("[aria-sort]").getAttribute("aria-sort"), "ascending");
  await expectTable(page, "Messages by agent", rising, tokensOf, nameOf);
  const panel = page.getByRole("region", { name: "Messages by agent" });
  const all = await ask(await asked(page, "getBreakdown", () => panel.getByRole("button", { name: "Show all" }).click(), byAgent));
  assert.ok(all.rows.length >= 200 && all.other === null);
  await expectTable(page, "Messages by agent", all, tokensOf, nameOf);
});

inPage("the plot is stacked by each group, and says the same as a table", { query: "?window=90d&key=department" }, async (page) => {
  await loaded(page);
  await button(page, "Table").click();
  for (const group of ["agent", "user", "role", "metadata"]) {
    const url = await asked(page, "getBreakdown", () => page.getByLabel("Stacked by").selectOption(group), (q) => q.has("interval"));
    const answer = await ask(url);
    const table = page.getByRole("table", { name: `Messages over time by ${group}` });
    const lines = [...answer.rows, ...(answer.other ? [answer.other] : [])];
    await eventually(async () => {
      const cells = await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].slice(1).map((c) => c.textContent)));
      assert.deepEqual(cells, answer.total.buckets.map((_, i) => lines.map((line) => shown(line.buckets[i].stats.messageCount))));
    });
  }
  await button(page, "Table").click();
  await page.locator(".legend").getByText("Without this key").waitFor();
  await page.getByRole("combobox", { name: "Figure", exact: true }).selectOption("uniqueUsers");
  await page.getByText("so they are drawn as lines").waitFor();
  await page.getByRole("combobox", { name: "Figure", exact: true }).selectOption("kbFileCount");
  await page.getByText("Knowledge-base figures are the whole organization's").waitFor();
  await page.getByLabel("Stacked by").selectOption("knowledgeBase");
  await page.getByRole("heading", { name: "Files over time by knowledge base" }).waitFor();
});

inPage("whatever is shown is downloaded as CSV", { query: "?window=30d&stack=agent" }, async (page) => {
  await loaded(page);
  for (const [what, name, first] of [
    ["figures", "getStats", "period,from,to,conversationCount"],
    ["Messages over time by agent", "getBreakdown", "period,kind,value,groups,start,end,partial"],
    ["Messages by agent", "getBreakdown", "period,kind,value,groups,conversationCount"],
    ["knowledge bases", "getBreakdown", "period,kind,value,groups,conversationCount"],
  ]) {
    const saved = page.waitForEvent("download");
    const isCSV = (q) => q.get("format") === "csv";
    const url = await asked(page, name, () => button(page, `Download as CSV: ${what}`).click(), isCSV);
    const file = await saved;
    assert.match(file.suggestedFilename(), /^orgstats-[\w-]+-\d{4}-\d\d-\d\d-to-\d{4}-\d\d-\d\d\.csv$/);
    const chunks = [];
    for await (const chunk of await file.createReadStream()) {
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    assert.ok(text.startsWith(first), text.slice(0, 200));
    assert.equal(text, await ask(url));
  }
});

inPage("the keyboard goes from bucket to bucket", { query: "?window=7d" }, async (page) => {
  await loaded(page);
  const series = await ask(await asked(page, "getTimeSeries", () => button(page, "Refresh").click()));
  await page.locator(".canvas").focus();
  await page.keyboard.press("End");
  const last = page.locator(".readout dd").first();
  await eventually(async () => assert.equal(await last.innerText(), shown(series.buckets.at(-1).stats.messageCount)));
  await page.keyboard.press("ArrowLeft");
  await eventually(async () => assert.equal(await last.innerText(), shown(series.buckets.at(-2).stats.messageCount)));
});

inPage("what has not changed is not sent again", { query: "?window=last-month" }, async (page) => {
  await loaded(page);
  const again = page.waitForResponse((response) => response.url().includes("getStats"));
  await button(page, "Refresh").click();
  const answer = await again;
  assert.equal(answer.status(), 304);
  await expectTiles(page, await ask(answer.url()));
});

inPage("live figures follow, until they are paused", { query: "?window=7d", isLive: true }, async (page) => {
  await loaded(page);
  const before = await ask(await asked(page, "getStats", () => button(page, "Refresh").click()));
  await control("load");
  const after = await ask(await asked(page, "getStats", () => page.clock.fastForward(15_000)));
  assert.equal(after.messageCount, before.messageCount + 1);
  await expectTiles(page, after);
  await button(page, "Live").click();
  let questions = 0;
  page.on("request", () => questions++);
  await page.clock.fastForward(60_000);
  await asked(page, "getStats", () => button(page, "Refresh").click());
  assert.ok(questions <= 5, `${questions} questions`);
});
