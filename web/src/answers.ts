// What the service answers.

import type { Stats } from "./figures";
import type { Interval } from "./interval";

export interface Period {
  from: string;
  to: string;
}

export interface StatsAnswer extends Stats {
  previous?: Period & { stats: Stats };
}

export interface Bucket {
  start: string;
  end: string;
  partial: boolean;
  stats: Stats;
}

export interface SeriesAnswer {
  interval: Interval;
  timeZone: string;
  buckets: Bucket[];
  previous?: Period & { buckets?: Bucket[] }; // none before the first year that the service knows
}

export interface Grouped {
  stats: Stats;
  previous?: Stats;
  buckets?: Bucket[];
}

export interface Row extends Grouped {
  value: string | null;
}

export interface BreakdownAnswer {
  rows: Row[];
  other: (Grouped & { groups: number }) | null; // of no groups where all of them were in the window before only
  total: Grouped & { groups: number };
  previous?: Period;
}
