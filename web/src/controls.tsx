import { useRef, useState } from "preact/hooks";

import { Chips } from "./filters";
import { onEscape, type Change } from "./hooks";
import { automatic, intervalLabels, intervals, isAllowed, type Interval } from "./interval";
import { isWholeOrganization } from "./questions";
import { windowOf, type View } from "./view";
import { presetNames, presets } from "./window";
import { asInput, fromInput, zoneNames } from "./zone";

interface Props {
  view: View;
  now: number;
  isAdmin: boolean;
  change: Change;
}

// Controls choose the window, how it is divided, and whose figures are shown.
export function Controls(props: Props) {
  const [isOpen, setOpen] = useState(false);
  const { view, change } = props;
  const isOwn = typeof view.window !== "string";
  const opener = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    opener.current?.focus(); // the form, which had it, is gone
  };
  return (
    <div class="controls">
      <div class="presets" role="group" aria-label="Window" onKeyDown={onEscape(() => isOpen && close())}>
        {presetNames.map((name) => (
          <button key={name} aria-pressed={view.window === name} onClick={() => { setOpen(false); change({ window: name }); }}>
            {presets[name].label}
          </button>
        ))}
        <button ref={opener} aria-pressed={isOwn} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          From … to
        </button>
      </div>
      {isOpen && <OwnWindow {...props} close={close} />}
      <div class="selects">
        <ScopeSelect {...props} />
        <IntervalSelect {...props} />
        <ZoneSelect {...props} />
        <Chips {...props} />
      </div>
    </div>
  );
}

// OwnWindow takes both ends in the view's time zone. The last minute counts as a whole.
function OwnWindow({ view, now, change, close }: Props & { close: () => void }) {
  const w = windowOf(view, now);
  const [mistake, setMistake] = useState("");
  const apply = (event: SubmitEvent): void => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = ["from", "to"].map((name) => fromInput(String(entered.get(name)), view.timeZone)) as [number, number];
    if (!(from <= to)) {
      setMistake("The window must begin before it ends.");
      return;
    }
    change({ window: { from, to: to + 59_999 } });
    close();
  };
  return (
    <form class="own" onSubmit={apply} onKeyDown={onEscape(close)}>
      <label>From <input type="datetime-local" name="from" required defaultValue={asInput(w.from, view.timeZone)} /></label>
      <label>To <input type="datetime-local" name="to" required defaultValue={asInput(w.to, view.timeZone)} /></label>
      <button class="primary">Show</button>
      <span class="quiet">In {view.timeZone}; the last minute is included.</span>
      {mistake && <span class="mistake" role="alert">{mistake}</span>}
    </form>
  );
}

function ScopeSelect({ view, isAdmin, change }: Props) {
  const isWhole = isWholeOrganization(view, isAdmin);
  if (!isAdmin && !isWhole) {
    return null; // there is nothing to choose
  }
  return (
    <label>
      <span>Figures of</span>
      <select value={isWhole ? "organization" : "own"}
        onChange={(event) => change({ scope: event.currentTarget.value as View["scope"] })}>
        <option value="organization">Whole organization</option>
        <option value="own">Only my own</option>
      </select>
    </label>
  );
}

function IntervalSelect({ view, now, change }: Props) {
  const w = windowOf(view, now);
  return (
    <label>
      <span>Interval</span>
      <select value={view.interval} onChange={(event) => change({ interval: event.currentTarget.value as Interval })}>
        <option value="auto">Automatic ({intervalLabels[automatic(w)].toLowerCase()})</option>
        {intervals.map((name) => (
          <option key={name} value={name} disabled={!isAllowed(w, name)}>{intervalLabels[name]}</option>
        ))}
      </select>
    </label>
  );
}

const zones = zoneNames();

function ZoneSelect({ view, change }: Props) {
  const all = zones.includes(view.timeZone) ? zones : [view.timeZone, ...zones];
  return (
    <label>
      <span>Time zone</span>
      <select value={view.timeZone} onChange={(event) => change({ timeZone: event.currentTarget.value })}>
        {all.map((name) => <option key={name} value={name}>{name.replaceAll("_", " ")}</option>)}
      </select>
    </label>
  );
}
