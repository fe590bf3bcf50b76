import assert from "node:assert/strict";
import { test } from "node:test";

import { claimsOf } from "../src/claims";
import { fileName } from "../src/csv";
import { failureOf, pauseOf, unreachable, withStop } from "../src/failure";
import { change, short, span } from "../src/format";
import type { Bucket } from "../src/answers";
import { every, heights, single, zoomed } from "../src/plotdata";
import { filterOf, rowName } from "../src/names";

const token = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;

test("claims are those of either version", () => {
  const v2 = claimsOf(token({ v: 2, sub: "ü", exp: 7, o: { id: "org_1", slg: "acme", rol: "admin" } }));
  assert.deepEqual(v2, { user: "ü", organization: "acme", isAdmin: true, expires: 7000 });
  assert.equal(claimsOf(token({ sub: "u", org_id: "org_1", org_role: "org:admin" })).isAdmin, true);
  assert.equal(claimsOf(token({ v: 2, org_role: "org:admin", o: { rol: "member" } })).isAdmin, false);
  for (const broken of ["", "a", "a.b.c", "a.bnVsbA.c"]) {
    assert.deepEqual(claimsOf(broken), { user: "", organization: "", isAdmin: false, expires: Infinity });
  }
});

test("files are named after what they hold", () => {
  const w = { from: Date.parse("2026-10-31T23:00:00Z"), to: Date.parse("2026-11-30T22:59:59.999Z") };
  assert.equal(fileName("Messages by agent", w, "Europe/Berlin"), "orgstats-Messages-by-agent-2026-11-01-to-2026-11-30.csv");
  assert.equal(fileName("../<b>यूज़र\u202e.csv", w, "UTC"), "orgstats-b-यूज़र-.csv-2026-10-31-to-2026-11-30.csv");
  assert.equal(fileName("///", { from: w.from, to: w.from }, "UTC"), "orgstats-figures-2026-10-31.csv");
});

test("changes are put into words", () => {
  for (const [now, before, want] of [
    [112, 100, "+12%"], [1, 3, "−66.7%"], [0, 4, "−100%"], [5, 5, "no change"], [0, 0, "no change"], [4, 0, "new"],
    [5000, 5, "×1,000"],
  ] as const) {
    assert.equal(change(now, before), want);
  }
  assert.equal(short(9_999_999), "9,999,999");
  assert.equal(short(12_345_678), "12.3M");
});

test("spans of whole days have no times", () => {
  const at = (text: string): number => Date.parse(text);
  assert.equal(span(at("2026-10-31T23:00:00Z"), at("2026-11-30T22:59:59.999Z"), "Europe/Berlin"), "Nov 1, 2026 – Nov 30, 2026");
  assert.equal(span(at("2026-11-01T00:00:00Z"), at("2026-11-01T23:59:59.999Z"), "UTC"), "Nov 1, 2026");
  assert.match(span(at("2026-11-01T00:00:00Z"), at("2026-11-01T12:00:59.999Z"), "UTC"), /00:00 – .*12:00$/);
});

test("rows are named, and filter where they can", () => {
  assert.equal(rowName("agent", null), "Without an agent");
  assert.equal(rowName("user", "<b>"), "<b>");
  assert.deepEqual(filterOf("metadata", "Sales", "team"), { metadataKey: "team", metadataValue: "Sales" });
  assert.equal(filterOf("role", "user", ""), undefined);
  assert.equal(filterOf("agent", null, ""), undefined);
});

test("a stack is as high as what it consists of", () => {
  const line = (...values: number[]) => ({ label: "", color: 0, shape: "bar" as const, values });
  assert.deepEqual(heights([line(1, 2), line(3, 0), line(0, 5)]), [[1, 2], [4, 2], [4, 7]]);
  assert.equal(every(30, 15), 2);
  assert.ok(2000 / every(2000, 10) <= 10);
});

const day = (date: string, messageCount: number, partial = false): Bucket => ({
  start: `${date}T00:00:00.000Z`, end: new Date(Date.parse(date) + 86_400_000).toISOString(), partial,
  stats: { messageCount } as Bucket["stats"],
});

test("a part of a day before is not drawn beside a whole one", () => {
  const buckets = [day("2026-03-10", 5, true), day("2026-03-11", 6), day("2026-03-12", 7), day("2026-03-13", 8, true)];
  const before = [day("2026-03-06", 1, true), day("2026-03-07", 2, true), day("2026-03-08", 3)];
  const previous = { from: "", to: "", buckets: before };
  const { lines } = single({ interval: "day", timeZone: "UTC", buckets, previous }, "messageCount");
  assert.deepEqual(lines.map((line) => line.values), [[5, 6, 7, 8], [1, null, 3, null]]);
});

test("drawing over the plot never widens the window", () => {
  const at = (text: string): number => Date.parse(text);
  const [first, last] = [day("2026-03-10", 0, true), day("2026-03-12", 0, true)];
  const shown = { from: at("2026-03-10T09:30:00Z"), to: at("2026-03-12T11:59:59.999Z") };
  assert.deepEqual(zoomed(first, last, shown), shown);
  const middle = day("2026-03-11", 0);
  const whole = { from: at("2026-03-11T00:00:00Z"), to: at("2026-03-11T23:59:59.999Z") };
  assert.deepEqual(zoomed(middle, middle, shown), whole);
  assert.deepEqual(zoomed(middle, middle, { from: at("2027-01-01"), to: at("2027-01-02") }), whole);
});

test("sentences end before the next begins", () => {
  assert.equal(withStop("Internal Server Error"), "Internal Server Error.");
  for (const sentence of ["Slower.", "Why?", "No!"]) {
    assert.equal(withStop(sentence), sentence);
  }
});

test("failures say when to ask again", async () => {
  const answer = (status: number, headers: Record<string, string>, body: string) => failureOf(new Response(body, { status, headers }));
  const limited = await answer(429, { "Retry-After": "7", "X-Request-Id": "ab" }, '{"error":"Slower."}');
  assert.deepEqual([limited.sentence, limited.requestId, pauseOf(limited, 0)], ["Slower.", "ab", 7000]);
  const invalid = await answer(400, {}, '{"error":"2 things","details":[{"path":"to","message":"to is wrong"}]}');
  assert.deepEqual([invalid.details, pauseOf(invalid, 0)], [["to is wrong"], undefined]);
  const proxy = await answer(502, { "Retry-After": new Date(Date.now() + 3600_000).toUTCString() }, "<html>");
  assert.ok(proxy.sentence.includes("502") && pauseOf(proxy, 0)! > 3_500_000);
  assert.deepEqual([0, 1, 2, 9].map((attempts) => pauseOf(unreachable, attempts)), [5_000, 10_000, 20_000, 60_000]);
});
