// Downloads of what is shown.

import { wallOf } from "./zone";
import type { Window } from "./window";

const date = (instant: number, zone: string): string => new Date(wallOf(instant, zone)).toISOString().slice(0, 10);

// fileName names a file after what it holds. What a person entered may hold anything: only letters, digits and a few
// signs are left of it.
export function fileName(what: string, w: Window, zone: string): string {
  const [first, last] = [date(w.from, zone), date(w.to, zone)];
  const name = what.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
  return `orgstats-${name || "figures"}-${first}${first === last ? "" : `-to-${last}`}.csv`;
}

// save hands a file to the browser as a download.
export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a browser may begin to read it later
}
