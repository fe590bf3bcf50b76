// Axe looks at the page in light, dark and at a phone's width.
import assert from "node:assert/strict";

import { expectAccessible, inPage, loaded, tokens } from "./harness.mjs";

for (const [name, options] of [
  ["light", {}], ["dark", { scheme: "dark", query: "?window=90d&stack=agent" }], ["phone", { width: 390 }],
]) {
  inPage(`axe finds nothing: ${name}`, options, async (page) => {
    await loaded(page);
    await expectAccessible(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the window");
    await page.getByRole("button", { name: "Table", exact: true }).click();
    await page.getByRole("button", { name: "Add a filter" }).click();
    await page.getByRole("button", { name: "From … to" }).click();
    await expectAccessible(page);
  });
  inPage(`axe finds nothing without a token: ${name}`, { ...options, token: tokens.expired }, async (page) => {
    await page.getByRole("heading", { name: "Your token has expired" }).waitFor();
    await expectAccessible(page);
  });
}

// A change that has no room beside its figure takes its own line.
for (const width of [320, 360, 375, 1280]) {
  inPage(`figures and their changes do not overlap at ${width} pixels`, { width }, async (page) => {
    await loaded(page);
    const overlaps = await page.evaluate((figure) => {
      const boxes = [];
      for (const numbers of document.querySelectorAll(".tile-numbers")) {
        const [value, change] = [numbers.querySelector(".tile-value"), numbers.querySelector(".tile-change")];
        value.textContent = figure;
        change.textContent = "×114,943";
        const [a, b, tile] = [value, change, numbers.closest(".tile")].map((e) => e.getBoundingClientRect());
        const isApart = a.right <= b.left + 1 || a.bottom <= b.top + 1;
        const isInside = a.right <= tile.right + 1 && b.right <= tile.right + 1;
        if (!isApart || !isInside) {
          boxes.push(value.dataset.figure);
        }
      }
      return boxes;
    }, "9,999,999");
    assert.deepEqual(overlaps, []);
  });
}

inPage("the keyboard keeps its place", {}, async (page) => {
  await loaded(page);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.getByRole("button", { name: "Add a filter" }).press("Enter");
  await page.getByRole("textbox", { name: "Value" }).fill("agent_9");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "Add a filter");
  await page.getByRole("button", { name: "Remove the filter Agent agent_9" }).press("Enter");
  assert.equal(await focused(), "Add a filter");
  const [own, show] = ["From … to", "Show"].map((name) => page.getByRole("button", { name, exact: true }));
  for (const close of [() => show.press("Escape"), () => own.press("Escape"), () => show.press("Enter")]) {
    await own.press("Enter");
    await show.waitFor();
    await close();
    await show.waitFor({ state: "detached" });
    assert.equal(await focused(), "From … to");
  }
  await page.getByRole("button", { name: "Add a filter" }).press("Enter");
  await page.getByRole("textbox", { name: "Value" }).press("Escape");
  await page.getByRole("textbox", { name: "Value" }).waitFor({ state: "detached" });
  assert.equal(await focused(), "Add a filter");
  await loaded(page);
});
