// The token with which the page asks. It comes in the address's fragment, from the application that embeds the page, or
// is pasted by a person, and is kept no longer than the tab.

import { claimsOf, type Claims } from "./claims";

const stored = "orgstats-token";

// Messages between the page and the application that embeds it; docs/dashboard.md has them.
const requestType = "orgstats:token-request";
const tokenType = "orgstats:token";

// How long the embedding application may take to hand over a token.
const patience = 5_000;
// A token that expires sooner than this is replaced before it is used.
const margin = 3_000;

export class Tokens {
  #token: string | undefined;
  #listeners = new Set<() => void>();
  #renewal: Promise<void> | undefined;

  // embedders are the origins whose applications may embed the page and hand it tokens.
  constructor(private readonly embedders: string[]) {
    this.#token = this.isEmbedded ? undefined : restore();
    this.set(this.#takeFromAddress() ?? this.#token);
    window.addEventListener("message", (event) => this.#receive(event));
    window.addEventListener("hashchange", () => this.set(this.#takeFromAddress() ?? this.#token));
  }

  get token(): string | undefined { return this.#token; }

  get claims(): Claims { return claimsOf(this.#token ?? ""); }

  get isEmbedded(): boolean { return window.parent !== window && this.embedders.length > 0; }

  // subscribe calls the listener whenever there is another token, until what it returns is called.
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(token: string | undefined): void {
    if (token === this.#token) {
      return;
    }
    this.#token = token;
    if (!this.isEmbedded) {
      store(token);
    }
    this.#listeners.forEach((listener) => listener());
  }

  // current returns the token to ask with, a new one where the old one is about to expire.
  async current(): Promise<string | undefined> {
    if (this.isEmbedded && (!this.#token || this.claims.expires < Date.now() + margin)) {
      await this.renew(this.#token);
    }
    return this.#token;
  }

  // renew asks the embedding application for another token than the given one, and returns whether there is one now.
  async renew(refused: string | undefined): Promise<boolean> {
    if (this.isEmbedded && this.#token === refused) {
      this.#renewal ??= this.#request().finally(() => { this.#renewal = undefined; });
      await this.#renewal;
    }
    return this.#token !== undefined && this.#token !== refused;
  }

  #request(): Promise<void> {
    return new Promise((done) => {
      const unsubscribe = this.subscribe(() => finish());
      const timer = setTimeout(() => finish(), patience);
      const finish = (): void => {
        unsubscribe();
        clearTimeout(timer);
        done();
      };
      // The request says nothing that is secret, and frame-ancestors lets nobody else embed the page.
      window.parent.postMessage({ type: requestType }, "*");
    });
  }

  #receive(event: MessageEvent): void {
    const data = event.data as { type?: unknown; token?: unknown } | null;
    const isExpected = event.source === window.parent && this.isEmbedded && this.embedders.includes(event.origin);
    if (isExpected && data?.type === tokenType && typeof data.token === "string" && data.token) {
      this.set(data.token);
    }
  }

  // takeFromAddress removes the token from the address, so that it is neither seen, bookmarked nor shared.
  #takeFromAddress(): string | undefined {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const token = fragment.get("token");
    if (token === null) {
      return undefined;
    }
    history.replaceState(history.state, "", location.pathname + location.search);
    return token || undefined;
  }
}

// callerOf tells callers apart: what one may see is not another's.
export function callerOf({ claims: { user, organization, isAdmin } }: Tokens): string {
  return JSON.stringify([user, organization, isAdmin]);
}

// A browser may keep a page from storing anything: the token is then kept until the page is loaded anew.
function restore(): string | undefined {
  try {
    return sessionStorage.getItem(stored) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(token: string | undefined): void {
  try {
    if (token) {
      sessionStorage.setItem(stored, token);
    } else {
      sessionStorage.removeItem(stored);
    }
  } catch { /* nothing is kept then */ }
}
