import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import type { Tokens } from "./tokens";
import { read, write, type View } from "./view";

export type Change = (part: Partial<View>) => void;

// onEscape returns a handler of keys that closes what they are pressed in.
export const onEscape = (close: () => void) => (event: KeyboardEvent): void => {
  if (event.key === "Escape") {
    close();
  }
};

// useView keeps the view in the address. Every change is a step that Back takes back.
export function useView(): [View, Change] {
  const [view, setView] = useState(() => read(location.search));
  const current = useRef(view);
  useEffect(() => {
    history.replaceState(null, "", `?${write(current.current)}`);
    const back = (): void => setView(current.current = read(location.search));
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  const change = useCallback((part: Partial<View>) => {
    const next = { ...current.current, ...part };
    const query = `?${write(next)}`;
    if (query !== `?${write(current.current)}`) {
      history.pushState(null, "", query);
    }
    setView(current.current = next);
  }, []);
  return [view, change];
}

// useTokens renders anew whenever there is another token, and counts them.
export function useTokens(tokens: Tokens): number {
  const [count, setCount] = useState(0);
  useEffect(() => tokens.subscribe(() => setCount((n) => n + 1)), [tokens]);
  return count;
}

// useClock renders anew every second.
export function useClock(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

// useMedia tells whether a media query holds.
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const update = (): void => setHolds(media.matches);
    media.addEventListener("change", update);
    return () => media.removeEventListener("change", update);
  }, [query]);
  return holds;
}
