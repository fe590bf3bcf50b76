// Calendar times in time zones. A wall time is what a clock in the zone shows, as the milliseconds that Date.UTC gives
// for the same digits.

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", year: "numeric", month: "numeric",
      day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    formats.set(zone, format);
  }
  return format;
}

// wallOf returns what a clock in the zone shows at an instant.
export function wallOf(instant: number, zone: string): number {
  const field: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const part of formatOf(zone).formatToParts(instant)) {
    field[part.type] = Number(part.value);
  }
  const seconds = Date.UTC(field.year!, field.month! - 1, field.day!, field.hour!, field.minute!, field.second!);
  return seconds + (((instant % 1000) + 1000) % 1000);
}

const day = 24 * 3600 * 1000;

// instantOf returns the instant at which a clock in the zone shows a wall time: the first, where clocks were set back
// and show it twice. A time that the zone skipped becomes the one that as much later, as if clocks had been set late.
export function instantOf(wall: number, zone: string): number {
  const before = wall - (wallOf(wall - day, zone) - (wall - day));
  const after = wall - (wallOf(wall + day, zone) - (wall + day));
  const found = [before, after].filter((instant) => wallOf(instant, zone) === wall);
  return found.length > 0 ? Math.min(...found) : before;
}

// startOfDay returns when the day begins, so many days after that of an instant.
export function startOfDay(instant: number, zone: string, days = 0): number {
  const wall = new Date(wallOf(instant, zone));
  return instantOf(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate() + days), zone);
}

// startOfMonth returns when the month begins, so many months after that of an instant.
export function startOfMonth(instant: number, zone: string, months = 0): number {
  const wall = new Date(wallOf(instant, zone));
  return instantOf(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + months, 1), zone);
}

// canonicalZone returns the browser's own name for a zone, because the browser knows zones in any case, and the service
// only as the IANA database writes them. It is undefined for what the browser does not know, and for offsets such as
// +05:30, which some browsers know, and the service does not.
export function canonicalZone(name: string | null): string | undefined {
  if (!name || /^[+-]/.test(name)) {
    return undefined;
  }
  try {
    return formatOf(name).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// zoneNames are all that the browser knows, with UTC, which not every browser lists.
export function zoneNames(): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])];
}

// asInput and fromInput are the form that an input of the type datetime-local reads and writes.
export const asInput = (instant: number, zone: string): string =>
  new Date(wallOf(instant, zone)).toISOString().slice(0, "2026-01-31T23:59".length);

export function fromInput(text: string, zone: string): number {
  const wall = Date.parse(text + ":00.000Z");
  return Number.isNaN(wall) ? NaN : instantOf(wall, zone);
}
