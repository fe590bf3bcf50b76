import type { Common } from "./common";
import { figures, isFigure, knowledgeFigures, messageFigures, type FigureName } from "./figures";
import { groupLabels, stacksOf, withFigure, type Stack } from "./view";

// FigureSelect chooses what the plot shows, as the tiles do.
export function FigureSelect({ view, change }: Common) {
  const choose = (name: string): void => {
    if (isFigure(name)) {
      change(withFigure(view, name));
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

// StackSelect chooses what the figure is told apart by.
export function StackSelect({ view, change }: Common) {
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
