// Windows of time, and the presets that name them.

import { startOfDay, startOfMonth } from "./zone";

// Both ends are inclusive, in milliseconds since 1970.
export interface Window {
  from: number;
  to: number;
}

const minute = 60_000;

// thisMinute returns the end of an instant's minute. Windows that reach up to now end there, so that what is asked
// within a minute is the same question, which the service answers from memory and with 304.
const thisMinute = (now: number): number => now - (now % minute) + minute - 1;

interface Preset {
  label: string;
  window(now: number, zone: string): Window;
}

const days = (count: number): Preset["window"] => (now, zone) =>
  ({ from: startOfDay(now, zone, 1 - count), to: thisMinute(now) });

export const presets = {
  "today": { label: "Today", window: days(1) },
  "yesterday": {
    label: "Yesterday",
    window: (now, zone) => ({ from: startOfDay(now, zone, -1), to: startOfDay(now, zone) - 1 }),
  },
  "7d": { label: "7 days", window: days(7) },
  "30d": { label: "30 days", window: days(30) },
  "90d": { label: "90 days", window: days(90) },
  "month": {
    label: "This month",
    window: (now, zone) => ({ from: startOfMonth(now, zone), to: thisMinute(now) }),
  },
  "last-month": {
    label: "Last month",
    window: (now, zone) => ({ from: startOfMonth(now, zone, -1), to: startOfMonth(now, zone) - 1 }),
  },
  "12m": {
    label: "12 months",
    window: (now, zone) => ({ from: startOfMonth(now, zone, -11), to: thisMinute(now) }),
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as PresetName[];

export function isPreset(name: string | null): name is PresetName {
  return name !== null && Object.hasOwn(presets, name);
}
