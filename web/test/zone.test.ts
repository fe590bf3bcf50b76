import assert from "node:assert/strict";
import { test } from "node:test";

import { asInput, canonicalZone, fromInput, instantOf, startOfDay, startOfMonth, wallOf, zoneNames } from "../src/zone";

const at = (text: string): number => Date.parse(text);
const shown = (instant: number): string => new Date(instant).toISOString();

test("days begin where the zone's calendar lets them", () => {
  for (const [why, zone, instant, days, want] of [
    ["west of Greenwich", "America/New_York", "2026-11-28T03:00:00Z", 0, "2026-11-27T05:00:00.000Z"],
    ["east of it", "Asia/Kathmandu", "2026-11-28T20:00:00Z", 0, "2026-11-28T18:15:00.000Z"],
    ["a day of 23 hours", "Europe/Berlin", "2026-03-29T12:00:00Z", 1, "2026-03-29T22:00:00.000Z"],
    ["a day of 25 hours", "Europe/Berlin", "2026-10-25T12:00:00Z", 1, "2026-10-25T23:00:00.000Z"],
    ["half an hour of summer time", "Australia/Lord_Howe", "2026-04-05T12:00:00Z", 0, "2026-04-04T13:00:00.000Z"],
    ["a midnight that was skipped", "America/Sao_Paulo", "2018-11-04T12:00:00Z", 0, "2018-11-04T03:00:00.000Z"],
    ["a midnight that came twice", "America/Havana", "2026-11-01T12:00:00Z", 0, "2026-11-01T04:00:00.000Z"],
    ["a date that was skipped", "Pacific/Apia", "2011-12-29T20:00:00Z", 1, "2011-12-30T10:00:00.000Z"],
  ] as const) {
    assert.equal(shown(startOfDay(at(instant), zone, days)), want, why);
  }
});

test("months begin on their first day", () => {
  assert.equal(shown(startOfMonth(at("2026-01-15T00:00:00Z"), "Europe/Berlin", -1)), "2025-11-30T23:00:00.000Z");
  assert.equal(shown(startOfMonth(at("2026-11-30T23:30:00Z"), "Europe/Berlin")), "2026-11-30T23:00:00.000Z");
  assert.equal(shown(startOfMonth(at("2026-01-31T12:00:00Z"), "UTC", 1)), "2026-02-01T00:00:00.000Z");
});

test("wall times and instants are each other's, but for those that clocks skip", () => {
  for (const zone of ["UTC", "Africa/Casablanca", "Australia/Lord_Howe", "America/St_Johns"]) {
    for (let instant = at("2026-01-01T00:00:00.123Z"); instant < at("2027-01-01T00:00:00Z"); instant += 5_000_000_000) {
      assert.equal(instantOf(wallOf(instant, zone), zone), instant, `${zone} ${shown(instant)}`);
    }
  }
  assert.equal(shown(instantOf(at("2026-03-29T02:30:00Z"), "Europe/Berlin")), "2026-03-29T01:30:00.000Z");
  assert.equal(shown(instantOf(at("2026-10-25T02:30:00Z"), "Europe/Berlin")), "2026-10-25T00:30:00.000Z");
  assert.equal(wallOf(at("1969-12-31T23:59:59.999Z"), "UTC"), -1);
});

test("inputs show what they read", () => {
  const instant = fromInput("2026-03-29T12:34", "Asia/Kathmandu");
  assert.equal(shown(instant), "2026-03-29T06:49:00.000Z");
  assert.equal(asInput(instant, "Asia/Kathmandu"), "2026-03-29T12:34");
  assert.ok(Number.isNaN(fromInput("", "UTC")));
});

test("zones are known by their names", () => {
  for (const [name, want] of [
    ["Europe/Berlin", "Europe/Berlin"], ["europe/berlin", "Europe/Berlin"], ["us/eastern", "America/New_York"],
    ["utc", "UTC"], ["Europe/Atlantis", undefined], ["", undefined], [null, undefined], ["+05:30", undefined],
    ["-01", undefined],
  ] as const) {
    assert.equal(canonicalZone(name), want, String(name));
  }
  assert.equal(zoneNames()[0], "UTC");
});
