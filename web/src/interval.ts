// The interval of a series: what a bucket of it is.

import type { Window } from "./window";

const hour = 3600_000;
const day = 24 * hour;

// The least that a bucket lasts: a day of 23 hours, a February.
const least = {
  hour, day: 23 * hour, week: 7 * day - hour, month: 28 * day - hour, quarter: 90 * day - hour, year: 365 * day,
} as const;

export type Interval = keyof typeof least;

export const intervals = Object.keys(least) as Interval[];

export const intervalLabels: Record<Interval, string> = {
  hour: "Hours", day: "Days", week: "Weeks", month: "Months", quarter: "Quarters", year: "Years",
};

// Series of more buckets are refused by the service.
const mostBuckets = 2000;

// bucketsAtMost returns how many buckets a window may have: both ends may be cut.
export const bucketsAtMost = (w: Window, interval: Interval): number =>
  Math.ceil((w.to - w.from + 1) / least[interval]) + 1;

export const isAllowed = (w: Window, interval: Interval): boolean => bucketsAtMost(w, interval) <= mostBuckets;

// Up to these lengths of a window, its buckets are neither too few to see a course nor too many to see each.
const comfortable: [Interval, number][] = [
  ["hour", 3 * day], ["day", 100 * day], ["week", 400 * day], ["month", 6 * 366 * day], ["quarter", 25 * 366 * day],
];

// automatic returns the interval that suits a window.
export function automatic(w: Window): Interval {
  const length = w.to - w.from + 1;
  return comfortable.find(([, longest]) => length <= longest)?.[0] ?? "year";
}

// chosen returns the interval that was chosen by hand, unless it has too many buckets for the window by now.
export function chosen(w: Window, choice: Interval | "auto"): Interval {
  return choice !== "auto" && isAllowed(w, choice) ? choice : automatic(w);
}

export function isInterval(name: string | null): name is Interval {
  return name !== null && Object.hasOwn(least, name);
}
