// What does not go well: who may not ask, who asks too much, a service that can't answer.
import assert from "node:assert/strict";

import { ask, asked, control, eventually, expectTiles, inPage, loaded, settings, tokens } from "./harness.mjs";

const button = (page, name) => page.getByRole("button", { name, exact: true });

inPage("members see their own", { token: tokens.member, query: "?window=12m" }, async (page) => {
  await page.getByRole("heading", { name: "My messages" }).waitFor();
  await loaded(page);
  assert.equal(await page.getByLabel("Figures of").count(), 0);
  const own = await ask(await asked(page, "getStats", () => button(page, "Refresh").click()), tokens.member);
  await expectTiles(page, own);
  assert.ok(own.uniqueUsers === 1 && own.kbFileCount > 0);
});

inPage("a view for administrators is shared with a member", { token: tokens.member, query: "?scope=organization" }, async (page) => {
  await page.getByRole("heading", { name: "This view is for administrators" }).waitFor();
  assert.match(await page.getByRole("alert").innerText(), /\. The request was /);
  await page.getByText(/The request was [0-9a-f]{16}\./).waitFor();
  await button(page, "Show only my own").click();
  await loaded(page);
  await eventually(async () => assert.equal(await page.getByRole("alert").count(), 0));
});

inPage("an organization without records", { token: tokens.nobody }, async (page) => {
  await page.getByText("There are no messages in this window").waitFor();
  await eventually(async () => assert.equal(await page.getByText("There is nothing in this window").count(), 2));
});

inPage("an expired token is replaced, and the view stays", { token: tokens.expired, query: "?window=7d&stack=agent" }, async (page) => {
  await page.getByRole("heading", { name: "Your token has expired" }).waitFor();
  const view = page.url();
  await page.getByRole("textbox", { name: "Token" }).fill("no.token.atall");
  await button(page, "Continue").click();
  await page.getByRole("heading", { name: "Your token was not accepted" }).waitFor();
  await page.getByRole("textbox", { name: "Token" }).fill(`Bearer ${tokens.admin}`);
  await button(page, "Continue").click();
  await loaded(page);
  assert.equal(page.url(), view);
});

const beyondYears = "?from=%2B012000-01-01T00:00:00Z&to=%2B012000-02-01T00:00:00Z"; // RFC 3339 has four digits

inPage("what the service refuses is told in words", { query: beyondYears }, async (page) => {
  await page.getByRole("heading", { name: "This view can't be answered" }).waitFor();
  await page.getByRole("alert").getByText(/^from /).waitFor();
  await button(page, "7 days").click();
  await loaded(page);
});

for (const [written, zone] of [
  ["%2B05:30", /^Asia\/Kath?mandu$/], ["europe/berlin", /^Europe\/Berlin$/], ["us/eastern", /^America\/New_York$/],
]) {
  inPage(`an address says timeZone=${written}`, { query: `?window=30d&timeZone=${written}` }, async (page) => {
    await loaded(page);
    assert.match(await page.getByLabel("Time zone").inputValue(), zone);
    assert.equal(await page.getByRole("alert").count(), 0);
  });
}

inPage("who asks too often waits as long as the service says", { service: settings.limited }, async (page) => {
  await page.getByRole("heading", { name: "Too many requests" }).waitFor();
  await page.getByText(/The page asks again/).waitFor();
  await loaded(page);
  await eventually(async () => assert.equal(await page.getByRole("alert").count(), 0));
});

inPage("the engine is killed while the page is open", { query: "?window=7d" }, async (page) => {
  await loaded(page);
  await control("kill");
  await button(page, "Refresh").click();
  await page.getByRole("heading", { name: "There is no answer for the moment" }).waitFor();
  await page.getByText("The figures below are older.").waitFor();
  await page.getByText(/The request was [0-9a-f]{16}\./).waitFor();
  await eventually(async () => assert.equal(await page.getByRole("alert").count(), 0));
  await expectTiles(page, await ask(await asked(page, "getStats", () => button(page, "Refresh").click())));
});

inPage("the service is out of reach", {}, async (page) => {
  await loaded(page);
  await page.context().setOffline(true);
  await button(page, "Refresh").click();
  await page.getByRole("heading", { name: "The service can't be reached" }).waitFor();
  await page.context().setOffline(false);
  await button(page, "Try now").click();
  await eventually(async () => assert.equal(await page.getByRole("alert").count(), 0));
});
