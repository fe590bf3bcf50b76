// What the plot draws, as data.

import type { Bucket, BreakdownAnswer, Grouped, SeriesAnswer } from "./answers";
import { figures, type FigureName } from "./figures";
import { rowName } from "./names";
import type { Group } from "./view";
import type { Window } from "./window";

// Line is what one color stands for. Bars are of figures that add up, and lines of those that do not.
export interface Line {
  label: string;
  color: number | "other" | "previous"; // a number is one of the colors that tell lines apart
  shape: "bar" | "line" | "dashes";
  values: (number | null)[]; // by bucket
}

export interface PlotData {
  buckets: Bucket[];
  lines: Line[];
  isStacked: boolean;
}

const valuesOf = (buckets: Bucket[], figure: FigureName): number[] => buckets.map((bucket) => bucket.stats[figure]);

const shapeOf = (figure: FigureName): "bar" | "line" => (figures[figure].additive ? "bar" : "line");

// single draws one figure, and that of the window before as a dashed line.
export function single(answer: SeriesAnswer, figure: FigureName): PlotData {
  const { buckets, previous } = answer;
  const lines: Line[] = [
    { label: figures[figure].label, color: 0, shape: shapeOf(figure), values: valuesOf(buckets, figure) },
  ];
  if (previous?.buckets) {
    const before = previous.buckets;
    const values = buckets.map((bucket, i) => comparable(bucket, before[i])?.stats[figure] ?? null);
    lines.push({ label: "The window before", color: "previous", shape: "dashes", values });
  }
  return { buckets, lines, isStacked: false };
}

// comparable returns the bucket before, unless there is none, because months differ in their days, or it is a part that
// would look like a whole one.
const comparable = (bucket: Bucket, before: Bucket | undefined): Bucket | undefined =>
  before?.partial && !bucket.partial ? undefined : before;

// zoomed returns the window of some buckets, the first and the last of which may reach beyond the one that is shown.
// While another window is loading, the plot is still that of the one before, and may have nothing in common with it.
export function zoomed(first: Bucket, last: Bucket, shown: Window): Window {
  const [start, end] = [Date.parse(first.start), Date.parse(last.end) - 1];
  const [from, to] = [Math.max(start, shown.from), Math.min(end, shown.to)];
  return from <= to ? { from, to } : { from: start, to: end };
}

// grouped draws the rows of a breakdown, and all others as one.
export function grouped(answer: BreakdownAnswer, figure: FigureName, group: Group): PlotData {
  const buckets = answer.total.buckets ?? [];
  const line = (of: Grouped, label: string, color: Line["color"]): Line =>
    ({ label, color, shape: shapeOf(figure), values: valuesOf(of.buckets ?? [], figure) });
  const lines = answer.rows.map((row, i) => line(row, rowName(group, row.value), i));
  if (answer.other && answer.other.groups > 0) {
    lines.push(line(answer.other, `${answer.other.groups} others`, "other"));
  }
  return { buckets, lines, isStacked: figures[figure].additive };
}

// heights returns how far up each line of a stack reaches: the first one lies at the bottom.
export function heights(lines: Line[]): number[][] {
  const all: number[][] = [];
  for (const line of lines) {
    const below = all.at(-1);
    all.push(line.values.map((value, i) => (value ?? 0) + (below?.[i] ?? 0)));
  }
  return all;
}

// every returns which of so many labels to show, so that at most as many remain as there is room for.
export function every(count: number, room: number): number {
  const steps = [1, 2, 3, 6, 7, 12, 14, 24, 28, 48, 56, 84, 168, 336, 672];
  return steps.find((step) => count / step <= room) ?? count;
}
