import type { BreakdownAnswer } from "./answers";
import { Breakdown } from "./breakdown";
import { needsKey, type Common } from "./common";
import { DownloadButton } from "./download";
import { messageFigures } from "./figures";
import type { Loaded } from "./rounds";
import { KeyForm } from "./keyform";
import { leavesOutMetadata } from "./questions";
import { groupLabels, messageGroups, type Filter } from "./view";

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
            <button key={name} aria-pressed={view.by === name}
              onClick={() => change({ by: name, table: { ...view.table, all: false } })}>
              {groupLabels[name]}
            </button>
          ))}
        </div>
        {!needsKey(view, view.by) && (
          <div class="actions"><DownloadButton download={download} what={caption} question="table" /></div>
        )}
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
