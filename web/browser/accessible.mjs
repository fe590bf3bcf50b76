// Axe looks at the page in light, dark and at a phone's width, and the pictures for docs are taken.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";

import { expectAccessible, inPage, loaded, settings, tokens } from "./harness.mjs";

// picture takes a picture of the whole page, in a format that is small.
async function picture(page) {
  const session = await page.context().newCDPSession(page);
  const { cssContentSize: { width, height } } = await session.send("Page.getLayoutMetrics");
  const { data } = await session.send("Page.captureScreenshot", {
    format: "webp", quality: 90, captureBeyondViewport: true, clip: { x: 0, y: 0, width, height, scale: 1 },
  });
  return Buffer.from(data, "base64");
}

for (const [name, options] of [
  ["light", {}], ["dark", { scheme: "dark", query: "?window=90d&stack=agent" }], ["phone", { width: 390 }],
]) {
  inPage(`axe finds nothing: ${name}`, options, async (page) => {
    await loaded(page);
    await expectAccessible(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the window");
    if (settings.pictures) {
      writeFileSync(`${settings.pictures}/${name}.webp`, await picture(page));
    }
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
