import { useMemo } from "preact/hooks";

import type { BreakdownAnswer, SeriesAnswer } from "./answers";
import { figures, isFigure, knowledgeFigures, messageFigures, type FigureName } from "./figures";
import { Breakdown } from "./breakdown";
import { DownloadButton, type Download } from "./download";
import type { Change, Loaded } from "./hooks";
import { Plot } from "./plot";
import { grouped, single } from "./plotdata";
import { leavesOutMetadata } from "./questions";
import { SeriesTable } from "./seriestable";
import { groupLabels, messageGroups, stacksOf, type Filter, type Stack, type View } from "./view";

interface Common {
  view: View;
  change: Change;
  download: Download;
}

// PlotPanel shows one figure over time.
export function PlotPanel(props: Common & { series: Loaded<SeriesAnswer>; stack: Loaded<BreakdownAnswer> }) {
  const { view, change, download, series, stack } = props;
  const { figure } = view;
  const isStacked = view.stack !== "none";
  const loaded = isStacked ? stack : series;
  const data = useMemo(() => {
    if (isStacked) {
      return stack.answer && stack.asked && stack.asked.stack !== "none" ? grouped(stack.answer, figure, stack.asked.stack) : undefined;
    }
    return series.answer && single(series.answer, figure);
  }, [isStacked, stack.answer, stack.asked, series.answer, figure]);
  const interval = series.answer?.interval;
  const label = `${figures[figure].label} over time${isStacked ? ` by ${groupLabels[view.stack as "agent"].toLowerCase()}` : ""}`;
  const zoom = (from: number, to: number): void => {
    const [first, last] = [data!.buckets[from]!, data!.buckets[to]!];
    change({ window: { from: Date.parse(first.start), to: Date.parse(last.end) - 1 } });
  };
  return (
    <section class="panel" aria-labelledby="plot-title" aria-busy={loaded.isLoading}>
      <div class="panel-head">
        <h2 id="plot-title">{label}</h2>
        <FigureSelect {...props} />
        <StackSelect {...props} />
        <div class="actions">
          <button aria-pressed={view.numbers} onClick={() => change({ numbers: !view.numbers })}>Table</button>
          <DownloadButton download={download} what={label} question={isStacked ? "stack" : "series"} />
        </div>
      </div>
      {view.stack === "metadata" && <KeyForm {...props} />}
      {data && interval
        ? view.numbers
          ? <SeriesTable data={data} interval={interval} zone={view.timeZone} label={label} />
          : <Plot data={data} interval={interval} zone={view.timeZone} label={`${label}. The button Table shows the same in text.`} onZoom={zoom} />
        : <p class="empty">{needsKey(view, view.stack) ? "Name the key of the metadata to stack by." : loaded.isLoading ? "Loading …" : "There is no answer yet."}</p>}
      <PlotNote view={view} />
    </section>
  );
}

const needsKey = (view: View, group: Stack): boolean => group === "metadata" && !view.key;

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

function FigureSelect({ view, change }: Common) {
  const choose = (name: string): void => {
    if (isFigure(name)) {
      change({ figure: name, stack: stacksOf(name).includes(view.stack) ? view.stack : "none" });
    }
  };
  const option = (name: FigureName) => <option key={name} value={name}>{figures[name].label}</option>;
  return (
    <label>
      <span>Figure</span>
      <select value={view.figure} onChange={(event) => choose(event.currentTarget.value)}>
        <optgroup label="Messages">{messageFigures.map(option)}</optgroup>
        <optgroup label="Knowledge bases, whole organization">{knowledgeFigures.map(option)}</optgroup>
      </select>
    </label>
  );
}

function StackSelect({ view, change }: Common) {
  return (
    <label>
      <span>{figures[view.figure].additive ? "Stacked by" : "Told apart by"}</span>
      <select value={view.stack} onChange={(event) => change({ stack: event.currentTarget.value as Stack })}>
        {stacksOf(view.figure).map((name) => (
          <option key={name} value={name}>{name === "none" ? "Nothing" : groupLabels[name]}</option>
        ))}
      </select>
    </label>
  );
}

// KeyForm takes the path of metadata by which users are grouped.
function KeyForm({ view, change }: Common) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change({ key: String(new FormData(event.currentTarget as HTMLFormElement).get("key")).trim() });
  };
  return (
    <form class="key" onSubmit={submit}>
      <label>
        <span>Key of the metadata</span>
        <input name="key" required defaultValue={view.key} key={view.key} placeholder="department, address.country" />
      </label>
      <button class="primary">Group</button>
    </form>
  );
}

// TablePanel shows the figures of messages by one of the groups.
export function TablePanel(props: Common & { loaded: Loaded<BreakdownAnswer> }) {
  const { view, change, download, loaded } = props;
  const group = loaded.asked?.by ?? view.by;
  const caption = `Messages by ${groupLabels[group].toLowerCase()}`;
  const filter = (more: Filter): void => change({ filter: { ...view.filter, ...more } });
  return (
    <section class="panel" aria-labelledby="table-title">
      <div class="panel-head">
        <h2 id="table-title">{caption}</h2>
        <div class="presets" role="group" aria-label="Group by">
          {messageGroups.map((name) => (
            <button key={name} aria-pressed={view.by === name} onClick={() => change({ by: name, table: { ...view.table, all: false } })}>
              {groupLabels[name]}
            </button>
          ))}
        </div>
        <div class="actions"><DownloadButton download={download} what={caption} question="table" /></div>
      </div>
      {view.by === "metadata" && <KeyForm {...props} />}
      {needsKey(view, view.by)
        ? <p class="empty">Name the key of the metadata to group by.</p>
        : <Breakdown caption={caption} names={messageFigures} group={group} metadataKey={loaded.asked?.key ?? view.key}
            sorting={view.table} loaded={loaded} onSort={(table) => change({ table })} onFilter={filter} />}
      {leavesOutMetadata(view, view.by) && <p class="note">The filter by metadata does not apply to this table.</p>}
    </section>
  );
}
