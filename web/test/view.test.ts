import assert from "node:assert/strict";
import { test } from "node:test";

import {
  asCSV, leavesOutMetadata, seriesQuestion, stackQuestion, statsQuestion, tableQuestion,
} from "../src/questions";
import { defaultView, read, write, type View } from "../src/view";

const scope = { isAdmin: true, now: Date.parse("2026-11-28T09:41:11Z") };
const queryOf = (question: string | undefined): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(question!.split("?")[1]));

test("an address holds the whole view", () => {
  const view: View = {
    window: { from: Date.parse("2026-03-01T00:00:00Z"), to: Date.parse("2026-03-31T23:59:59.999Z") },
    timeZone: "America/St_Johns", interval: "hour", scope: "own",
    filter: { agentId: "7&8=9", userId: "用户 #1", metadataKey: "a.b", metadataValue: "<b>\u202e+%" },
    figure: "uniqueUsers", stack: "metadata", key: "address.country", by: "user",
    table: { orderBy: "totalTokens", order: "asc", all: true },
    knowledge: { orderBy: "kbCount", order: "asc", all: true }, numbers: true, live: false,
  };
  assert.deepEqual(read(write(view)), view);
  assert.deepEqual(read(write(defaultView())), defaultView());
});

test("an address leaves out what is as usual, but not the time zone", () => {
  assert.equal(write({ ...defaultView(), timeZone: "UTC" }), "window=30d&timeZone=UTC");
});

test("what an address says wrong is as usual", () => {
  const wrong = "window=8d&from=2026-03-02&to=2026-03-01&timeZone=Nowhere&interval=minute&scope=all&figure=constructor" +
    "&stack=knowledgeBase&by=everything&orderBy=kbCount&kbOrderBy=messageCount&order=up&rows=5&token=secret";
  assert.deepEqual(read(wrong), defaultView());
  assert.ok(!write(read(wrong)).includes("secret"));
});

test("a key of the metadata and a value are filters, each alone, too", () => {
  assert.deepEqual(read("metadataKey=team").filter, { metadataKey: "team" });
  assert.deepEqual(read("metadataValue=Sales").filter, { metadataValue: "Sales" });
  for (const query of ["metadataKey=team", "metadataValue=Sales"]) {
    const view = read(query);
    assert.ok(write(view).endsWith(query), query);
    assert.ok(leavesOutMetadata(view, "metadata") && !leavesOutMetadata(view, "agent"), query);
  }
  assert.ok(!leavesOutMetadata(defaultView(), "metadata"));
});

test("questions are as the service wants them", () => {
  const view: View = { ...defaultView(), timeZone: "UTC", stack: "metadata", key: "team", filter: {
    agentId: "7", metadataKey: "team", metadataValue: "Sales",
  } };
  const window = { from: "2026-10-30T00:00:00.000Z", to: "2026-11-28T09:41:59.999Z", timeZone: "UTC", allInOrg: "true", agentId: "7" };
  const filtered = { ...window, metadataKey: "team", metadataValue: "Sales" };
  assert.deepEqual(queryOf(statsQuestion(view, scope)), { ...filtered, compare: "previous" });
  assert.deepEqual(queryOf(seriesQuestion(view, scope)), { ...filtered, interval: "day", compare: "previous" });
  assert.deepEqual(queryOf(stackQuestion(view, scope)),
    { ...window, groupBy: "metadata", metadataKey: "team", interval: "day", orderBy: "messageCount", limit: "7" });
  assert.deepEqual(queryOf(tableQuestion(view, scope, "agent")),
    { ...filtered, groupBy: "agent", orderBy: "messageCount", order: "desc", limit: "10", compare: "previous" });
  assert.ok(asCSV(tableQuestion(view, scope, "user")!).endsWith("&format=csv"));
});

test("members ask for their own, and admins for what they choose", () => {
  const allInOrg = (view: View, isAdmin: boolean): string | undefined =>
    queryOf(statsQuestion(view, { ...scope, isAdmin }))["allInOrg"];
  assert.equal(allInOrg(defaultView(), false), undefined);
  assert.equal(allInOrg(defaultView(), true), "true");
  assert.equal(allInOrg({ ...defaultView(), scope: "own" }, true), undefined);
});

test("what is not to be shown is not asked", () => {
  assert.equal(stackQuestion(defaultView(), scope), undefined);
  assert.equal(tableQuestion({ ...defaultView(), key: "" }, scope, "metadata"), undefined);
});
