import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

import { axis, bucketName, number, tick } from "./format";
import { useMedia } from "./hooks";
import type { Interval } from "./interval";
import { every, heights, type Line, type PlotData } from "./plotdata";

interface Props {
  data: PlotData;
  interval: Interval;
  zone: string;
  label: string;
  onZoom: (from: number, to: number) => void; // both are buckets
}

// Plot draws on a canvas what the table beside it says in text. Arrow keys go from bucket to bucket.
export function Plot({ data, interval, zone, label, onZoom }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [at, setAt] = useState<number>();
  const isDark = useMedia("(prefers-color-scheme: dark)");
  useEffect(() => {
    const element = host.current!;
    const tickOf = (i: number): string => tick(Date.parse(data.buckets[i]!.start), interval, zone);
    const options = optionsOf(data, element, tickOf, (i) => setAt(i ?? undefined), onZoom);
    const drawn = new uPlot(options, dataOf(data), element);
    plot.current = drawn;
    setAt(undefined);
    const observer = new ResizeObserver(() => drawn.setSize(sizeOf(element)));
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [data, interval, zone, isDark]);

  const move = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined && plot.current) {
      event.preventDefault();
      const last = data.buckets.length - 1;
      const next = Math.min(Math.max((at ?? (step > 0 ? -1 : last + 1)) + step, 0), last);
      plot.current.setCursor({ left: plot.current.valToPos(next, "x"), top: 20 });
    }
  };
  const bucket = at === undefined ? undefined : data.buckets[at];
  return (
    <div class="plot">
      <div class="canvas" ref={host} tabIndex={0} role="img" aria-label={label} onKeyDown={move} />
      {bucket && (
        <div class={at! > data.buckets.length / 2 ? "readout left" : "readout"} aria-live="polite">
          <strong>{bucketName(Date.parse(bucket.start), Date.parse(bucket.end), interval, zone)}</strong>
          {bucket.partial && <em>Only a part of it is in the window.</em>}
          <dl>
            {data.lines.map((line, i) => (
              <div key={i}>
                <dt><Swatch line={line} /> <bdi>{line.label}</bdi></dt>
                <dd>{line.values[at!] == null ? "–" : number(line.values[at!]!)}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
      <ul class="legend">
        {data.lines.map((line, i) => <li key={i}><Swatch line={line} /> <bdi>{line.label}</bdi></li>)}
      </ul>
    </div>
  );
}

const Swatch = ({ line }: { line: Line }) =>
  <span class={`swatch ${line.shape}`} style={{ "--color": `var(--series-${line.color})` }} aria-hidden="true" />;

const sizeOf = (element: HTMLElement): { width: number; height: number } =>
  ({ width: element.clientWidth, height: element.clientWidth < 500 ? 220 : 300 });

// dataOf returns the columns that uPlot draws. Buckets are as wide as each other, whatever a clock change or a short
// month makes of them. Of a stack, the highest comes first, so that the ones below are drawn over it.
function dataOf({ buckets, lines, isStacked }: PlotData): uPlot.AlignedData {
  const values = isStacked ? heights(lines).reverse() : lines.map((line) => line.values);
  return [buckets.map((_, i) => i), ...values];
}

function optionsOf(
  data: PlotData, element: HTMLElement, tickOf: (i: number) => string, onPoint: (i: number | null | undefined) => void,
  onZoom: Props["onZoom"],
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const count = data.buckets.length;
  const lines = data.isStacked ? [...data.lines].reverse() : data.lines;
  const ink = { stroke: color("muted"), font: `12px ${style.fontFamily}`, ticks: { show: false } };
  return {
    ...sizeOf(element),
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { setScale: false } },
    scales: { x: { time: false, range: () => [-0.5, count - 0.5] }, y: { range: (_, __, max) => [0, rounded(max)] } },
    axes: [
      { ...ink, size: 26, grid: { show: false }, splits: (u) => splits(count, u.width), values: (_, all) => all.map(tickOf) },
      { ...ink, size: 56, grid: { stroke: color("line"), width: 1 }, values: (_, all) => all.map(axisLabel) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line, count, color(`series-${line.color}`)))],
    hooks: {
      drawClear: [(u) => shade(u, data, color("shade"))],
      setCursor: [(u) => onPoint(u.cursor.idx)],
      setSelect: [(u) => zoom(u, count, onZoom)],
    },
  };
}

// Counts have no fractions, so an axis shows none.
const axisLabel = (value: number): string => (Number.isInteger(value) ? axis(value) : "");
const rounded = (max: number | null): number => Math.max(max ?? 0, 1) * 1.05;

function splits(count: number, width: number): number[] {
  const step = every(count, Math.max(Math.floor(width / 80), 2));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

function seriesOf(line: Line, count: number, color: string): uPlot.Series {
  if (line.shape === "bar") {
    return { fill: color, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [count > 120 ? 1 : 0.75, 60] }) };
  }
  const isDashed = line.shape === "dashes";
  return {
    stroke: color, width: isDashed ? 1.5 : 2, ...(isDashed ? { dash: [5, 4] } : {}), points: { show: count === 1, fill: color },
  };
}

// shade marks the buckets of which only a part is in the window: they are lower than they will be.
function shade(u: uPlot, data: PlotData, color: string): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = color;
  data.buckets.forEach((bucket, i) => {
    if (bucket.partial) {
      const [left, right] = [u.valToPos(i - 0.5, "x", true), u.valToPos(i + 0.5, "x", true)];
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
  });
  ctx.restore();
}

// zoom tells which buckets were selected with the pointer.
function zoom(u: uPlot, count: number, onZoom: Props["onZoom"]): void {
  const { left, width } = u.select;
  if (width < 8) {
    return;
  }
  const bucketAt = (x: number): number => Math.min(Math.max(Math.round(u.posToVal(x, "x")), 0), count - 1);
  const [from, to] = [bucketAt(left), bucketAt(left + width)];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(from, to);
}
