// Asks the service.

import { failureOf, unreachable, type Failure } from "./failure";
import { callerOf, type Tokens } from "./tokens";

// How many answers are remembered, to ask whether they have changed. A view has at most five.
const remembered = 40;

export class Refusal extends Error {
  constructor(readonly failure: Failure) { super(failure.sentence); }
}

export class Client {
  #answers = new Map<string, { etag: string; answer: unknown }>();

  constructor(private readonly tokens: Tokens) {
    let caller = callerOf(tokens);
    tokens.subscribe(() => {
      if (caller !== callerOf(tokens)) {
        caller = callerOf(tokens);
        this.#answers.clear();
      }
    });
  }

  // ask returns the answer to a question, the very same object if it has not changed since it was asked last.
  async ask<T>(question: string, signal: AbortSignal): Promise<T> {
    const known = this.#answers.get(question);
    const response = await this.#fetch(question, signal, known ? { "If-None-Match": known.etag } : {});
    if (known && response.status === 304) {
      return known.answer as T;
    }
    const answer = (await response.json()) as T;
    this.#remember(question, response.headers.get("ETag"), answer);
    return answer;
  }

  // download returns the answer to a question as a file.
  async download(question: string): Promise<Blob> {
    const response = await this.#fetch(question, new AbortController().signal, {});
    return response.blob();
  }

  #remember(question: string, etag: string | null, answer: unknown): void {
    this.#answers.delete(question);
    if (etag) {
      this.#answers.set(question, { etag, answer });
    }
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= remembered) {
        break;
      }
      this.#answers.delete(oldest);
    }
  }

  // fetch sends a question with the token, and once more if another one can be had for a token that is refused.
  async #fetch(question: string, signal: AbortSignal, headers: Record<string, string>): Promise<Response> {
    const token = await this.tokens.current();
    const response = await send(question, token, signal, headers);
    if (response.status === 401 && await this.tokens.renew(token)) {
      return expectAnswer(await send(question, this.tokens.token, signal, headers));
    }
    return expectAnswer(response);
  }
}

// send keeps answers out of the browser's own cache, which would outlive the tab.
async function send(
  question: string, token: string | undefined, signal: AbortSignal, headers: Record<string, string>,
): Promise<Response> {
  try {
    return await fetch(`api/dashboard/${question}`, {
      signal, cache: "no-store", credentials: "omit", headers: { ...headers, Authorization: `Bearer ${token ?? ""}` },
    });
  } catch (error) {
    throw signal.aborted ? error : new Refusal(unreachable);
  }
}

async function expectAnswer(response: Response): Promise<Response> {
  if (response.ok || response.status === 304) {
    return response;
  }
  throw new Refusal(await failureOf(response));
}
