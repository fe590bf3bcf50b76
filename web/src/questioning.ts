import { useEffect, useMemo, useRef } from "preact/hooks";

import type { BreakdownAnswer, SeriesAnswer, StatsAnswer } from "./answers";
import type { Client } from "./client";
import type { QuestionName } from "./download";
import type { Failure } from "./failure";
import { useAnswer, type Loaded, type Rounds } from "./rounds";
import { seriesQuestion, stackQuestion, statsQuestion, tableQuestion, type Scope } from "./questions";
import type { View } from "./view";

export type Questions = Partial<Record<QuestionName, string | undefined>>;

// useQuestions returns what the view asks; nothing, as long as there is no token to ask with.
export function useQuestions(view: View, { isAdmin, now }: Scope, canAsk: boolean): Questions {
  return useMemo(() => {
    const scope = { isAdmin, now };
    return canAsk
      ? {
        stats: statsQuestion(view, scope), series: seriesQuestion(view, scope), stack: stackQuestion(view, scope),
        table: tableQuestion(view, scope, view.by), knowledge: tableQuestion(view, scope, "knowledgeBase"),
      }
      : {};
  }, [view, isAdmin, now, canAsk]);
}

// useAnswers asks all of them.
export function useAnswers(client: Client, questions: Questions, view: View, rounds: Rounds) {
  return {
    stats: useAnswer<StatsAnswer>(client, questions.stats, view, rounds),
    series: useAnswer<SeriesAnswer>(client, questions.series, view, rounds),
    stack: useAnswer<BreakdownAnswer>(client, questions.stack, view, rounds),
    table: useAnswer<BreakdownAnswer>(client, questions.table, view, rounds),
    knowledge: useAnswer<BreakdownAnswer>(client, questions.knowledge, view, rounds),
  };
}

// worst returns the failure to show: one that the caller can do something about, before others.
export function worst(all: Loaded<unknown>[]): Failure | undefined {
  const failures = all.flatMap(({ failure }) => failure ?? []);
  return failures.find(({ status }) => status === 401) ?? failures.find(({ status }) => status === 403) ?? failures[0];
}

// useBeginWith begins another round with another token.
export function useBeginWith(token: number, begin: () => void): void {
  const last = useRef(token);
  useEffect(() => {
    if (token !== last.current) {
      last.current = token;
      begin();
    }
  }, [token, begin]);
}
