import { bucketName, number } from "./format";
import type { Interval } from "./interval";
import type { PlotData } from "./plotdata";

// SeriesTable says what the plot draws, for those who can't see it and those who want the numbers.
export function SeriesTable({ data, interval, zone, label }: { data: PlotData; interval: Interval; zone: string; label: string }) {
  return (
    <div class="scroll tall" role="group" aria-label={label} tabIndex={0}>
      <table>
        <caption class="hidden">{label}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {data.lines.map((line, i) => <th key={i} scope="col" class="number"><bdi>{line.label}</bdi></th>)}
          </tr>
        </thead>
        <tbody>
          {data.buckets.map((bucket, at) => (
            <tr key={bucket.start}>
              <th scope="row">
                {bucketName(Date.parse(bucket.start), Date.parse(bucket.end), interval, zone)}
                {bucket.partial && <span class="quiet"> (in part)</span>}
              </th>
              {data.lines.map((line, i) => (
                <td key={i} class="number">{line.values[at] == null ? "–" : number(line.values[at])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
