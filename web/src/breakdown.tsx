import type { BreakdownAnswer, Grouped } from "./answers";
import { figures, type FigureName } from "./figures";
import { number, shareOf } from "./format";
import type { Loaded } from "./rounds";
import { filterOf, rowName } from "./names";
import { Change } from "./tiles";
import { groupLabels, type Filter, type Group, type Sorting } from "./view";

interface Props {
  caption: string;
  names: FigureName[];
  group: Group;
  metadataKey: string;
  sorting: Sorting;
  loaded: Loaded<BreakdownAnswer>;
  onSort: (sorting: Sorting) => void;
  onFilter?: (filter: Filter) => void; // rows of knowledge bases filter nothing
}

// Breakdown is a table of figures by what they are grouped by. Its answer may still be that of a group chosen before.
export function Breakdown(props: Props) {
  const { answer, isLoading } = props.loaded;
  if (!answer) {
    return <p class="empty">{isLoading ? "Loading …" : "There is no answer yet."}</p>;
  }
  if (answer.total.groups === 0) {
    return <p class="empty">There is nothing in this window{props.group === "knowledgeBase" ? "" : " that passes the filters"}.</p>;
  }
  return (
    <>
      <div class="scroll" role="group" aria-label={props.caption} tabIndex={0} aria-busy={isLoading}>
        <table>
          <caption class="hidden">{props.caption}</caption>
          <Head {...props} />
          <Rows {...props} answer={answer} />
        </table>
      </div>
      <More {...props} answer={answer} />
    </>
  );
}

function Head({ names, group, sorting, onSort }: Props) {
  const next = (name: FigureName): Sorting =>
    ({ ...sorting, orderBy: name, order: name === sorting.orderBy && sorting.order === "desc" ? "asc" : "desc" });
  return (
    <thead>
      <tr>
        <th scope="col">{groupLabels[group]}</th>
        <th scope="col" class="share">Share of {figures[sorting.orderBy].label.toLowerCase()}</th>
        <th scope="col" class="number">Change</th>
        {names.map((name) => (
          <th key={name} scope="col" class="number" aria-sort={sortOf(name, sorting)}>
            <button class="sort" onClick={() => onSort(next(name))}>{figures[name].label}</button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

const sortOf = (name: FigureName, { orderBy, order }: Sorting): "ascending" | "descending" | undefined =>
  name !== orderBy ? undefined : order === "asc" ? "ascending" : "descending";

function Rows(props: Props & { answer: BreakdownAnswer }) {
  const { answer, group, metadataKey, onFilter } = props;
  return (
    <>
      <tbody>
        {answer.rows.map((row) => {
          const filter = filterOf(group, row.value, metadataKey);
          const name = <bdi>{rowName(group, row.value)}</bdi>;
          return (
            <Line key={row.value} {...props} of={row}>
              {filter
                ? <button class="row" title="Show only this" onClick={() => onFilter?.(filter)}>{name}</button>
                : <span class="row">{name}</span>}
            </Line>
          );
        })}
        {answer.other && (
          <Line {...props} of={answer.other} kind="other"><span class="row">{othersName(answer.other.groups)}</span></Line>
        )}
      </tbody>
      <tfoot>
        <Line {...props} of={answer.total} kind="total"><span class="row">Total</span></Line>
      </tfoot>
    </>
  );
}

// othersName names what is left. Groups of the window before may have nothing in this one.
const othersName = (groups: number): string => (groups > 0 ? `${number(groups)} others` : "In the window before only");

type LineProps = Props & { answer: BreakdownAnswer; of: Grouped; kind?: string; children: preact.ComponentChildren };

function Line({ names, sorting, answer, of, kind = "", children }: LineProps) {
  const { orderBy } = sorting;
  const part = of.stats[orderBy];
  const all = answer.total.stats[orderBy];
  return (
    <tr class={kind}>
      <th scope="row">{children}</th>
      <td class="share">
        <span class="share-bar"><span style={{ width: `${all > 0 ? Math.min((part / all) * 100, 100) : 0}%` }} /></span>
        {shareOf(part, all)}
      </td>
      <td class="number"><Change now={part} before={of.previous?.[orderBy]} /></td>
      {names.map((name) => (
        <td key={name} class={name === orderBy ? "number sorted" : "number"}>{number(of.stats[name])}</td>
      ))}
    </tr>
  );
}

// More shows all rows instead of the first, or the first again.
function More({ sorting, answer, onSort }: Props & { answer: BreakdownAnswer }) {
  const shown = answer.rows.length;
  if (!answer.other?.groups && !sorting.all) {
    return null;
  }
  return (
    <p class="more">
      {number(shown)} of {number(answer.total.groups)} rows are shown.{" "}
      <button class="link" onClick={() => onSort({ ...sorting, all: !sorting.all })}>
        {sorting.all ? "Show the first only" : answer.total.groups > 1000 ? "Show the first 1,000" : "Show all"}
      </button>
    </p>
  );
}
