import type { Bucket, StatsAnswer } from "./answers";
import { figures, type FigureName } from "./figures";
import { change, number, short } from "./format";

export interface TileProps {
  stats: StatsAnswer | undefined;
  buckets: Bucket[] | undefined;
  selected: FigureName;
  onSelect: (name: FigureName) => void;
}

// Tiles are the figures of the window. Each chooses what the plot shows.
export function Tiles({ names, stats, buckets, selected, onSelect }: TileProps & { names: FigureName[] }) {
  return (
    <ul class="tiles">
      {names.map((name) => (
        <li key={name}>
          <button class="tile" aria-pressed={name === selected} title={titleOf(name, stats)}
            onClick={() => onSelect(name)}>
            <span class="tile-label">{figures[name].label}</span>
            <span class="tile-numbers">
              <span class="tile-value" data-figure={name}>{stats ? short(stats[name]) : <Placeholder />}</span>
              <span class="tile-change">{stats && <Change now={stats[name]} before={stats.previous?.stats[name]} />}</span>
            </span>
            <Sparkline values={buckets?.map((bucket) => bucket.stats[name]) ?? []} />
          </button>
        </li>
      ))}
    </ul>
  );
}

function titleOf(name: FigureName, stats: StatsAnswer | undefined): string {
  const { explanation } = figures[name];
  return stats ? `${explanation} Exactly ${number(stats[name])}.` : explanation;
}

const Placeholder = () => <span class="placeholder"><span class="hidden">Loading</span></span>;

// Change is neither good nor bad: more tokens please one and worry another.
export function Change({ now, before }: { now: number; before: number | undefined }) {
  if (before === undefined) {
    return null;
  }
  return (
    <span class="change" title={`${number(before)} in the window before`}>
      {change(now, before)}
      <span class="hidden"> against {number(before)} before</span>
    </span>
  );
}

const [width, height] = [120, 28];

// Sparkline is a picture of the course alone: the plot and its table have the numbers.
function Sparkline({ values }: { values: number[] }) {
  const top = Math.max(...values, 1);
  const step = width / Math.max(values.length - 1, 1);
  const points = values.map((value, i) => `${(i * step).toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`);
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {points.length > 1 && <path class="area" d={`M0,${height} L${points.join(" L")} L${width},${height} Z`} />}
      {points.length > 1 && <path class="line" d={`M${points.join(" L")}`} />}
    </svg>
  );
}
