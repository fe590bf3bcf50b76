// The questions of a view: what the page asks the service, each as the path and query of its URL.

import { chosen } from "./interval";
import { filterNames, windowOf, type Group, type Sorting, type View } from "./view";

// Rows of a table at first, and when all are wanted; series of a plot, beside the rest as one.
const fewRows = 10;
const mostRows = 1000;
export const mostSeries = 7;

// Scope is what depends on the caller and the clock: whether the whole organization is asked for, and when it is now.
export interface Scope {
  isAdmin: boolean;
  now: number;
}

export const isWholeOrganization = (view: View, isAdmin: boolean): boolean =>
  view.scope === "role" ? isAdmin : view.scope === "organization";

function parameters(view: View, { isAdmin, now }: Scope, group?: Group): URLSearchParams {
  const w = windowOf(view, now);
  const q = new URLSearchParams({
    from: new Date(w.from).toISOString(), to: new Date(w.to).toISOString(), timeZone: view.timeZone,
  });
  if (isWholeOrganization(view, isAdmin)) {
    q.set("allInOrg", "true");
  }
  for (const name of filterNames) {
    const value = view.filter[name];
    if (value && !(group === "metadata" && name.startsWith("metadata"))) { // the key is what is grouped by then
      q.set(name, value);
    }
  }
  return q;
}

export function statsQuestion(view: View, scope: Scope): string {
  const q = parameters(view, scope);
  q.set("compare", "previous");
  return `getStats?${q}`;
}

export function seriesQuestion(view: View, scope: Scope): string {
  const q = parameters(view, scope);
  q.set("interval", chosen(windowOf(view, scope.now), view.interval));
  q.set("compare", "previous");
  return `getTimeSeries?${q}`;
}

function breakdown(view: View, scope: Scope, group: Group): URLSearchParams | undefined {
  const q = parameters(view, scope, group);
  q.set("groupBy", group);
  if (group === "metadata") {
    if (!view.key) {
      return undefined; // it is still to be entered
    }
    q.set("metadataKey", view.key);
  }
  return q;
}

// stackQuestion asks for the series that the plot stacks, if it does.
export function stackQuestion(view: View, scope: Scope): string | undefined {
  const q = view.stack === "none" ? undefined : breakdown(view, scope, view.stack);
  q?.set("interval", chosen(windowOf(view, scope.now), view.interval));
  q?.set("orderBy", view.figure);
  q?.set("limit", String(mostSeries));
  return q && `getBreakdown?${q}`;
}

export function tableQuestion(view: View, scope: Scope, group: Group): string | undefined {
  const sorting: Sorting = group === "knowledgeBase" ? view.knowledge : view.table;
  const q = breakdown(view, scope, group);
  q?.set("orderBy", sorting.orderBy);
  q?.set("order", sorting.order);
  q?.set("limit", String(sorting.all ? mostRows : fewRows));
  q?.set("compare", "previous");
  return q && `getBreakdown?${q}`;
}

// leavesOutMetadata reports whether a table or plot by metadata can't keep to the filter by metadata.
export const leavesOutMetadata = (view: View, group: Group | "none"): boolean =>
  group === "metadata" && (view.filter.metadataKey ?? view.filter.metadataValue) !== undefined;

export const asCSV = (question: string): string => `${question}&format=csv`;
