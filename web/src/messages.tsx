import { useMemo } from "preact/hooks";

import type { StatsAnswer } from "./answers";
import type { Common } from "./common";
import { DownloadButton } from "./download";
import { messageFigures } from "./figures";
import { number, span } from "./format";
import type { Loaded } from "./rounds";
import { Tiles, type TileProps } from "./tiles";
import type { View } from "./view";
import type { Window } from "./window";

type Props = Common & { stats: Loaded<StatsAnswer>; isWhole: boolean; window: Window; tiles: TileProps };

// MessagesSection shows the figures of the messages that pass the filters.
export function MessagesSection({ view, change, download, stats, isWhole, window, tiles }: Props) {
  return (
    <section aria-labelledby="messages-title" aria-busy={stats.isLoading}>
      <div class="section-head">
        <h2 id="messages-title">{isWhole ? "Messages of the organization" : "My messages"}</h2>
        <Span view={view} stats={stats.answer} window={window} />
        <div class="actions"><DownloadButton download={download} what="figures" question="stats" /></div>
      </div>
      <Tiles names={messageFigures} {...tiles} />
      {stats.answer && isEmpty(stats.answer) && <Empty view={view} widen={() => change({ window: "12m", filter: {} })} />}
      <Announcement stats={stats} />
    </section>
  );
}

function Span({ view, stats, window }: { view: View; stats: StatsAnswer | undefined; window: Window }) {
  const before = stats?.previous;
  return (
    <p>
      {span(window.from, window.to, view.timeZone)}
      {before && (
        <span class="quiet">, compared with {span(Date.parse(before.from), Date.parse(before.to), view.timeZone)}</span>
      )}
    </p>
  );
}

const isEmpty = (stats: StatsAnswer): boolean => messageFigures.every((name) => stats[name] === 0);

function Empty({ view, widen }: { view: View; widen: () => void }) {
  const isFiltered = Object.keys(view.filter).length > 0;
  return (
    <p class="empty">
      There are no messages in this window{isFiltered && " that pass the filters"}.{" "}
      {(isFiltered || view.window !== "12m") && (
        <button onClick={widen}>Show 12 months{isFiltered && " without filters"}</button>
      )}
    </p>
  );
}

// Announcement reads aloud what a change of the view led to, and no live refresh.
function Announcement({ stats }: { stats: Loaded<StatsAnswer> }) {
  const text = useMemo(() => (stats.answer
    ? `${number(stats.answer.messageCount)} messages, ${number(stats.answer.conversationCount)} conversations.`
    : ""), [stats.asked]);
  return <p class="hidden" role="status">{text}</p>;
}
