import { ago, clockTime } from "./format";
import { useClock, type Change } from "./hooks";
import type { Tokens } from "./tokens";
import type { View } from "./view";

interface Props {
  tokens: Tokens;
  view: View;
  change: Change;
  at: number | undefined;
  refresh: () => void;
}

// Header says whose figures are shown and how old they are.
export function Header({ tokens, view, change, at, refresh }: Props) {
  const { organization, user } = tokens.claims;
  return (
    <header>
      <strong class="brand">Orgstats</strong>
      {tokens.token && <span class="caller"><bdi>{organization}</bdi> <span class="quiet"><bdi>{user}</bdi></span></span>}
      <div class="actions">
        {at !== undefined && <Age at={at} zone={view.timeZone} />}
        {tokens.token && (
          <>
            <button aria-pressed={view.live} title="Ask again every 15 seconds" onClick={() => change({ live: !view.live })}>
              <span class="dot" aria-hidden="true" /> Live
            </button>
            <button onClick={refresh}>Refresh</button>
            {!tokens.isEmbedded && <button onClick={() => tokens.set(undefined)}>Sign out</button>}
          </>
        )}
      </div>
    </header>
  );
}

function Age({ at, zone }: { at: number; zone: string }) {
  return <span class="age quiet" title={`Answered at ${clockTime(at, zone)}`}>Updated {ago(useClock() - at)}</span>;
}

export const Footer = () => (
  <footer>
    <p>
      In CSV, a cell that begins with =, +, -, @, a tab or a line's end has an apostrophe before it, so that no
      spreadsheet takes it for a formula. Distinct counts do not add up over time or groups.
    </p>
    <p><a href="docs">The HTTP interface</a> · <a href="assets/licenses.txt">Licenses</a></p>
  </footer>
);
