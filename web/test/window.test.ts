import assert from "node:assert/strict";
import { test } from "node:test";

import { automatic, chosen, isAllowed, type Interval } from "../src/interval";
import { isPreset, presetNames, presets, type PresetName, type Window } from "../src/window";

const now = Date.parse("2026-11-28T09:41:11.500Z");
const ofText = (from: string, to: string): Window => ({ from: Date.parse(from), to: Date.parse(to) });

test("presets are of the zone's calendar", () => {
  const end = "2026-11-28T09:41:59.999Z";
  const want: Record<PresetName, [string, string]> = {
    "today": ["2026-11-27T23:00:00Z", end],
    "yesterday": ["2026-11-26T23:00:00Z", "2026-11-27T22:59:59.999Z"],
    "7d": ["2026-11-21T23:00:00Z", end],
    "30d": ["2026-10-29T23:00:00Z", end],
    "90d": ["2026-08-30T22:00:00Z", end],
    "month": ["2026-10-31T23:00:00Z", end],
    "last-month": ["2026-09-30T22:00:00Z", "2026-10-31T22:59:59.999Z"],
    "12m": ["2025-11-30T23:00:00Z", end],
  };
  for (const name of presetNames) {
    assert.deepEqual(presets[name].window(now, "Europe/Berlin"), ofText(...want[name]), name);
  }
});

test("within a minute, the same is asked", () => {
  for (const name of presetNames) {
    assert.deepEqual(presets[name].window(now, "UTC"), presets[name].window(now + 40_000, "UTC"), name);
  }
});

test("names of other things are no presets", () => {
  assert.ok(isPreset("7d") && !isPreset("toString") && !isPreset("8d") && !isPreset(null));
});

test("the interval suits the window", () => {
  const want: Record<PresetName, Interval> = {
    "today": "hour", "yesterday": "hour", "7d": "day", "30d": "day", "90d": "day", "month": "day", "last-month": "day",
    "12m": "week",
  };
  for (const name of presetNames) {
    assert.equal(automatic(presets[name].window(now, "Europe/Berlin")), want[name], name);
  }
  assert.equal(automatic(ofText("2021-01-01T00:00:00Z", "2026-01-01T00:00:00Z")), "month");
  assert.equal(automatic(ofText("2010-01-01T00:00:00Z", "2026-01-01T00:00:00Z")), "quarter");
  assert.equal(automatic(ofText("1900-01-01T00:00:00Z", "2299-12-31T23:59:59.999Z")), "year");
});

test("an interval of too many buckets is not chosen", () => {
  const year = ofText("2025-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z");
  assert.ok(!isAllowed(year, "hour") && isAllowed(year, "day"));
  assert.equal(chosen(year, "hour"), "week");
  assert.equal(chosen(year, "month"), "month");
  assert.ok(isAllowed(ofText("1900-01-01T00:00:00Z", "2299-12-31T23:59:59.999Z"), "quarter"));
});
