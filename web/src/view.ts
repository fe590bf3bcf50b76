// The view: everything that a person chose, as it stands in the address. The token is never part of it.

import { figures, isFigure, type FigureName } from "./figures";
import { isInterval, type Interval } from "./interval";
import { isPreset, presets, type PresetName, type Window } from "./window";
import { browserZone, canonicalZone } from "./zone";

export const filterNames = ["agentId", "userId", "metadataKey", "metadataValue"] as const;
export type Filter = Partial<Record<(typeof filterNames)[number], string>>;

export const messageGroups = ["agent", "user", "role", "metadata"] as const;
export type MessageGroup = (typeof messageGroups)[number];
export type Group = MessageGroup | "knowledgeBase";
export type Stack = Group | "none";

export const groupLabels: Record<Group, string> = {
  agent: "Agent", user: "User", role: "Role", metadata: "Metadata", knowledgeBase: "Knowledge base",
};

// Sorting is the order of a table's rows, and whether all of them are wanted.
export interface Sorting {
  orderBy: FigureName;
  order: "asc" | "desc";
  all: boolean;
}

export interface View {
  window: PresetName | Window;
  timeZone: string;
  interval: Interval | "auto";
  scope: "own" | "organization" | "role"; // role: as much as the caller's role allows
  filter: Filter;
  figure: FigureName;
  stack: Stack;
  key: string; // the path of metadata by which is grouped
  by: MessageGroup;
  table: Sorting;
  knowledge: Sorting;
  numbers: boolean; // the plot is shown as a table
  live: boolean;
}

export function defaultView(): View {
  return {
    window: "30d", timeZone: browserZone(), interval: "auto", scope: "role", filter: {}, figure: "messageCount",
    stack: "none", key: "", by: "agent", table: { orderBy: "messageCount", order: "desc", all: false },
    knowledge: { orderBy: "kbFileCount", order: "desc", all: false }, numbers: false, live: true,
  };
}

export const windowOf = (view: View, now: number): Window =>
  typeof view.window === "string" ? presets[view.window].window(now, view.timeZone) : view.window;

// stacksOf returns what a figure may be told apart by.
export const stacksOf = (figure: FigureName): Stack[] =>
  figures[figure].subject === "knowledge" ? ["none", "knowledgeBase"] : ["none", ...messageGroups];

// withFigure is the change to another figure, which may not be told apart by what the one before was.
export const withFigure = (view: View, figure: FigureName): Partial<View> =>
  ({ figure, stack: stacksOf(figure).includes(view.stack) ? view.stack : "none" });

// write returns a view as the query of an address. What is as usual is left out, but for the time zone, because another
// person's usual one may be another.
export function write(view: View): string {
  const usual = defaultView();
  const q = new URLSearchParams();
  if (typeof view.window === "string") {
    q.set("window", view.window);
  } else {
    q.set("from", new Date(view.window.from).toISOString());
    q.set("to", new Date(view.window.to).toISOString());
  }
  q.set("timeZone", view.timeZone);
  for (const name of ["interval", "scope", "figure", "stack", "key", "by"] as const) {
    if (view[name] !== usual[name]) {
      q.set(name, view[name]);
    }
  }
  for (const name of filterNames) {
    if (view.filter[name]) {
      q.set(name, view.filter[name]);
    }
  }
  writeSorting(q, "", view.table, usual.table);
  writeSorting(q, "kb", view.knowledge, usual.knowledge);
  if (view.numbers) {
    q.set("show", "table");
  }
  if (!view.live) {
    q.set("live", "off");
  }
  return q.toString();
}

const named = (prefix: string, name: string): string =>
  prefix ? prefix + name[0]!.toUpperCase() + name.slice(1) : name;

function writeSorting(q: URLSearchParams, prefix: string, sorting: Sorting, usual: Sorting): void {
  if (sorting.orderBy !== usual.orderBy) {
    q.set(named(prefix, "orderBy"), sorting.orderBy);
  }
  if (sorting.order !== usual.order) {
    q.set(named(prefix, "order"), sorting.order);
  }
  if (sorting.all) {
    q.set(named(prefix, "rows"), "all");
  }
}

// read returns the view of an address. What it does not say, or says wrong, is as usual.
export function read(query: string): View {
  const q = new URLSearchParams(query);
  const view = defaultView();
  const one = <T extends string>(name: string, allowed: readonly T[], usual: T): T =>
    allowed.find((value) => value === q.get(name)) ?? usual;
  const preset = q.get("window");
  view.window = isPreset(preset) ? preset : readWindow(q) ?? view.window;
  const zone = q.get("timeZone");
  view.timeZone = canonicalZone(zone) ?? view.timeZone;
  const interval = q.get("interval");
  view.interval = isInterval(interval) ? interval : "auto";
  view.scope = one("scope", ["own", "organization"], view.scope as View["scope"]);
  const figure = q.get("figure");
  view.figure = isFigure(figure) ? figure : view.figure;
  view.stack = one("stack", stacksOf(view.figure), view.stack);
  view.key = q.get("key") ?? "";
  view.by = one("by", messageGroups, view.by);
  view.filter = readFilter(q);
  view.table = readSorting(q, "", view.table);
  view.knowledge = readSorting(q, "kb", view.knowledge);
  view.numbers = q.get("show") === "table";
  view.live = q.get("live") !== "off";
  return view;
}

function readWindow(q: URLSearchParams): Window | undefined {
  const [from, to] = [Date.parse(q.get("from") ?? ""), Date.parse(q.get("to") ?? "")];
  return from <= to ? { from, to } : undefined;
}

function readFilter(q: URLSearchParams): Filter {
  const filter: Filter = {};
  for (const name of filterNames) {
    const value = q.get(name);
    if (value) {
      filter[name] = value;
    }
  }
  return filter;
}

function readSorting(q: URLSearchParams, prefix: string, usual: Sorting): Sorting {
  const orderBy = q.get(named(prefix, "orderBy"));
  const fits = isFigure(orderBy) && figures[orderBy].subject === figures[usual.orderBy].subject;
  return {
    orderBy: fits ? orderBy : usual.orderBy,
    order: q.get(named(prefix, "order")) === "asc" ? "asc" : "desc",
    all: q.get(named(prefix, "rows")) === "all",
  };
}
