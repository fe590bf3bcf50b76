// The page in a frame of another application, which hands it tokens.
import assert from "node:assert/strict";

import { embedded, eventually, settings } from "./harness.mjs";

embedded("the embedding application hands over tokens, and new ones for those that expire", settings.embedder, async (page, frame) => {
  await frame.getByRole("table", { name: "Messages by agent" }).waitFor();
  const handed = () => page.evaluate(() => globalThis.handed);
  assert.equal(await handed(), 1);
  await frame.locator("body").evaluate(() => { document.title = "not reloaded"; });
  await page.evaluate(() => { globalThis.kind = "expired"; });
  await page.evaluate(() => globalThis.hand());
  await page.evaluate(() => { globalThis.kind = "admin"; });
  await frame.getByRole("button", { name: "Refresh" }).click();
  await eventually(async () => assert.equal(await handed(), 3));
  await eventually(async () => assert.equal(await frame.getByRole("alert").count(), 0));
  assert.equal(await frame.locator("body").evaluate(() => document.title + sessionStorage.length), "not reloaded0");
});

embedded("no other application may embed it", settings.stranger, async (page, frame) => {
  await page.waitForFunction(() => globalThis.tried);
  assert.equal(await frame.getByRole("heading").count(), 0);
});
