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
