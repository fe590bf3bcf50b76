import { useMemo } from "preact/hooks";

import type { BreakdownAnswer, SeriesAnswer } from "./answers";
import { needsKey, type Common } from "./common";
import { DownloadButton } from "./download";
import { figures } from "./figures";
import type { Loaded } from "./rounds";
import { KeyForm } from "./keyform";
import { Plot } from "./plot";
import { grouped, single, zoomed } from "./plotdata";
import { FigureSelect, StackSelect } from "./plotselects";
import { leavesOutMetadata } from "./questions";
import { SeriesTable } from "./seriestable";
import { groupLabels, type View } from "./view";
import type { Window } from "./window";

interface Props extends Common {
  window: Window;
  series: Loaded<SeriesAnswer>;
  stack: Loaded<BreakdownAnswer>;
}

// PlotPanel shows one figure over time.
export function PlotPanel(props: Props) {
  const { view, change, download, series, stack } = props;
  const { figure } = view;
  const isStacked = view.stack !== "none";
  const loaded = isStacked ? stack : series;
  const data = useMemo(() => {
    if (isStacked) {
      const group = stack.asked?.stack;
      return stack.answer && group && group !== "none" ? grouped(stack.answer, figure, group) : undefined;
    }
    return series.answer && single(series.answer, figure);
  }, [isStacked, stack.answer, stack.asked, series.answer, figure]);
  const interval = series.answer?.interval;
  const label = `${figures[figure].label} over time${view.stack === "none" ? "" : ` by ${groupLabels[view.stack].toLowerCase()}`}`;
  const zoom = (from: number, to: number): void => {
    change({ window: zoomed(data!.buckets[from]!, data!.buckets[to]!, props.window) });
  };
  return (
    <section class="panel" aria-labelledby="plot-title" aria-busy={loaded.isLoading}>
      <div class="panel-head">
        <h2 id="plot-title">{label}</h2>
        <FigureSelect {...props} />
        <StackSelect {...props} />
        <div class="actions">
          <button aria-pressed={view.numbers} onClick={() => change({ numbers: !view.numbers })}>Table</button>
          {!needsKey(view, view.stack) && (
            <DownloadButton download={download} what={label} question={isStacked ? "stack" : "series"} />
          )}
        </div>
      </div>
      {view.stack === "metadata" && <KeyForm {...props} />}
      {!data || !interval
        ? <p class="empty">{whyEmpty(view, loaded)}</p>
        : view.numbers
          ? <SeriesTable data={data} interval={interval} zone={view.timeZone} label={label} />
          : <Plot data={data} interval={interval} zone={view.timeZone} onZoom={zoom}
              label={`${label}. The button Table shows the same in text.`} />}
      <PlotNote view={view} />
    </section>
  );
}

function whyEmpty(view: View, { isLoading }: Loaded<unknown>): string {
  if (needsKey(view, view.stack)) {
    return "Name the key of the metadata to tell apart by.";
  }
  return isLoading ? "Loading …" : "There is no answer yet.";
}

// PlotNote says what a reader might otherwise take the plot for.
function PlotNote({ view }: { view: View }) {
  const notes = [
    !figures[view.figure].additive && "Distinct counts do not add up over time or groups, so they are drawn as lines.",
    view.stack === "metadata" && "A user with several values at the key counts in each of them.",
    leavesOutMetadata(view, view.stack) && "The filter by metadata does not apply here.",
    figures[view.figure].subject === "knowledge" && "Knowledge-base figures are the whole organization's; filters do not apply.",
  ].filter(Boolean);
  return notes.length > 0 ? <p class="note">{notes.join(" ")}</p> : null;
}
