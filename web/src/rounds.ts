import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { Refusal, type Client } from "./client";
import { pauseOf, unreachable, type Failure } from "./failure";
import type { View } from "./view";

export interface Loaded<T> {
  answer?: T;
  asked?: View; // the view that the answer belongs to
  at?: number; // when it arrived
  failure?: Failure;
  isLoading: boolean;
}

// useAnswer asks a question, again in every round, and in every retry if it failed: to ask the others, too, would use
// up what the caller may ask. Meanwhile, and when it fails, the last answer stays.
export function useAnswer<T>(client: Client, question: string | undefined, view: View, { round, retries }: Rounds): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({ isLoading: true });
  const stop = useRef(() => {});
  const ask = (): void => {
    stop.current();
    if (question === undefined) {
      setLoaded({ isLoading: false });
      return;
    }
    const controller = new AbortController();
    stop.current = () => controller.abort();
    setLoaded((last) => ({ ...last, isLoading: true }));
    client.ask<T>(question, controller.signal).then(
      (answer) => setLoaded({ answer, asked: view, at: Date.now(), isLoading: false }),
      (error: unknown) => {
        if (!controller.signal.aborted) {
          const failure = error instanceof Refusal ? error.failure : unreachable;
          setLoaded((last) => ({ ...last, failure, isLoading: false }));
        }
      },
    );
  };
  useLayoutEffect(ask, [client, question, round]); // before the browser paints, which takes its time
  useEffect(() => { if (retries > 0 && loaded.failure) ask(); }, [retries]);
  useEffect(() => () => stop.current(), []);
  return loaded;
}

const liveEvery = 15_000;

export interface Rounds {
  round: number;
  now: number; // when the round began: windows that reach up to now end there
  begin: () => void;
  retries: number; // of questions that failed
  retry: () => void;
}

// useRounds counts the rounds in which everything is asked again: now and then while the view is live and visible, but
// not while something fails, which is asked again when the service says so.
export function useRounds(isLive: boolean, isFailing: { current: boolean }): Rounds {
  const [state, setState] = useState(() => ({ round: 0, now: Date.now() }));
  const begin = useCallback(() => setState(({ round }) => ({ round: round + 1, now: Date.now() })), []);
  const [retries, setRetries] = useState(0);
  const retry = useCallback(() => setRetries((n) => n + 1), []);
  useEffect(() => {
    if (!isLive) {
      return undefined;
    }
    const beginIfVisible = (): void => {
      if (document.visibilityState === "visible" && !isFailing.current) {
        begin();
      }
    };
    const timer = setInterval(beginIfVisible, liveEvery);
    document.addEventListener("visibilitychange", beginIfVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", beginIfVisible);
    };
  }, [isLive, begin]);
  return { ...state, begin, retries, retry };
}

// useRetry asks again when the service may answer again, and returns when that will be.
export function useRetry(failure: Failure | undefined, retry: () => void): number | undefined {
  const attempts = useRef(0);
  const [due, setDue] = useState<number>();
  useEffect(() => {
    const pause = failure && pauseOf(failure, attempts.current);
    if (pause === undefined) {
      attempts.current = failure ? attempts.current : 0;
      setDue(undefined);
      return undefined;
    }
    setDue(Date.now() + pause);
    const timer = setTimeout(() => {
      attempts.current++;
      retry();
    }, pause);
    return () => clearTimeout(timer);
  }, [failure, retry]);
  return due;
}
