// Numbers and times as people read them. The page is in English, and so are its numbers, wherever it is read: a point
// that separates thousands for some would be a decimal point in the sentence around it.

import type { Interval } from "./interval";

const locale = "en-US";
const whole = new Intl.NumberFormat(locale);
const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
const factor = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

export const number = (value: number): string => whole.format(value);

// short is for places that have room for few digits, which show the exact number when they are pointed at.
export const short = (value: number): string => (value < 10_000_000 ? whole.format(value) : compact.format(value));
export const axis = (value: number): string => compact.format(value);
export const shareOf = (part: number, all: number): string => (all > 0 ? share.format(part / all) : "–");

// change says how a figure differs from the one before.
export function change(now: number, before: number): string {
  if (now === before) {
    return "no change";
  }
  if (before === 0) {
    return "new";
  }
  return now / before >= 10 ? `×${factor.format(now / before)}` : percent.format(now / before - 1).replace("-", "−");
}

const formats = new Map<string, Intl.DateTimeFormat>();

// time formats an instant in a zone.
function time(instant: number, timeZone: string, options: Intl.DateTimeFormatOptions): string {
  const key = timeZone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone, hourCycle: "h23" });
    formats.set(key, format);
  }
  return format.format(instant);
}

const date = { year: "numeric", month: "short", day: "numeric" } as const;
const clock = { hour: "2-digit", minute: "2-digit" } as const;

export const moment = (instant: number, zone: string): string => time(instant, zone, { ...date, ...clock });
export const clockTime = (instant: number, zone: string): string => time(instant, zone, { ...clock, second: "2-digit" });

// span names both ends of a window, without times of day where it consists of whole days.
export function span(from: number, to: number, zone: string): string {
  const isWhole = time(from, zone, clock) === "00:00" && time(to + 1, zone, clock) === "00:00";
  const [first, last] = isWhole
    ? [time(from, zone, date), time(to, zone, date)]
    : [moment(from, zone), moment(to, zone)];
  return first === last ? first : `${first} – ${last}`;
}

// bucketName names a bucket in full.
export function bucketName(start: number, end: number, interval: Interval, zone: string): string {
  switch (interval) {
    case "hour": return `${time(start, zone, { weekday: "short", ...date, ...clock })}–${time(end, zone, clock)}`;
    case "day": return time(start, zone, { weekday: "short", ...date });
    case "week": return `${time(start, zone, date)} – ${time(end - 1, zone, date)}`;
    case "month": return time(start, zone, { year: "numeric", month: "long" });
    case "quarter": return `${time(start, zone, { month: "long" })} – ${time(end - 1, zone, { month: "long", year: "numeric" })}`;
    case "year": return time(start, zone, { year: "numeric" });
  }
}

// tick names a bucket below an axis.
export function tick(start: number, interval: Interval, zone: string): string {
  switch (interval) {
    case "hour": {
      const hour = time(start, zone, clock);
      return hour === "00:00" ? time(start, zone, { month: "short", day: "numeric" }) : hour;
    }
    case "day": case "week": return time(start, zone, { month: "short", day: "numeric" });
    case "month": case "quarter": return time(start, zone, { year: "numeric", month: "short" });
    case "year": return time(start, zone, { year: "numeric" });
  }
}

// ago says how long something is past.
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 2) {
    return "just now";
  }
  if (seconds < 120) {
    return `${seconds} seconds ago`;
  }
  return seconds < 7200 ? `${Math.round(seconds / 60)} minutes ago` : `${Math.round(seconds / 3600)} hours ago`;
}
