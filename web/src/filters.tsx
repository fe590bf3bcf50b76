import { useRef, useState } from "preact/hooks";

import { onEscape, type Change } from "./hooks";
import type { Filter, View } from "./view";

// Chips are the filters that apply. Each is removed on its own.
export function Chips({ view, change }: { view: View; change: Change }) {
  const { agentId, userId, metadataKey, metadataValue } = view.filter;
  const opener = useRef<HTMLButtonElement>(null); // has the focus when what had it is gone
  const without = (...names: (keyof Filter)[]): void => {
    opener.current?.focus();
    change({ filter: Object.fromEntries(Object.entries(view.filter).filter(([name]) => !names.includes(name as keyof Filter))) });
  };
  const [isOpen, setOpen] = useState(false);
  const close = (): void => {
    setOpen(false);
    opener.current?.focus();
  };
  return (
    <div class="chips" role="group" aria-label="Filters" onKeyDown={onEscape(() => isOpen && close())}>
      {agentId && <Chip what="Agent" value={agentId} remove={() => without("agentId")} />}
      {userId && <Chip what="User" value={userId} remove={() => without("userId")} />}
      {(metadataKey || metadataValue) && (
        <Chip what={metadataKey ?? "Any key"} value={metadataValue ?? "(any value)"}
          remove={() => without("metadataKey", "metadataValue")} />
      )}
      <button class="chip add" ref={opener} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Add a filter
      </button>
      {isOpen && <AddFilter add={(filter) => { close(); change({ filter: { ...view.filter, ...filter } }); }} />}
    </div>
  );
}

function Chip({ what, value, remove }: { what: string; value: string; remove: () => void }) {
  return (
    <span class="chip">
      <span class="quiet"><bdi>{what}</bdi></span> <bdi>{value}</bdi>
      <button aria-label={`Remove the filter ${what} ${value}`} onClick={remove}>×</button>
    </span>
  );
}

type Kind = "agentId" | "userId" | "metadata";

// AddFilter takes a filter by hand. Rows of the tables are the shorter way.
function AddFilter({ add }: { add: (filter: Filter) => void }) {
  const [kind, setKind] = useState<Kind>("agentId");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement);
    const [key, value] = [String(entered.get("key") ?? ""), String(entered.get("value"))];
    add(kind === "metadata" ? { metadataKey: key, metadataValue: value } : { [kind]: value });
  };
  return (
    <form class="add-filter" onSubmit={submit}>
      <select aria-label="Filter by" value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
        <option value="agentId">Agent</option>
        <option value="userId">User</option>
        <option value="metadata">Metadata</option>
      </select>
      {kind === "metadata" && <input name="key" required aria-label="Key of the metadata" placeholder="department" />}
      <input name="value" required aria-label="Value" placeholder={kind === "metadata" ? "Sales" : "its id"} />
      <button class="primary">Add</button>
    </form>
  );
}
