import { useState } from "preact/hooks";

import { headlineOf, withStop, type Failure } from "./failure";
import { useClock } from "./hooks";
import type { Tokens } from "./tokens";

interface Props {
  failure: Failure;
  due: number | undefined; // when the page asks again by itself
  isShown: boolean; // older figures are
  retry: () => void;
  showOwn?: () => void;
}

// Notice says in words why there is no answer, and what happens next.
export function Notice({ failure, due, isShown, retry, showOwn }: Props) {
  return (
    <div class="notice" role="alert">
      <h2>{headlineOf(failure)}</h2>
      <p>
        {withStop(failure.sentence)} {isShown && "The figures below are older."}{" "}
        {failure.requestId && <>The request was <code>{failure.requestId}</code>.</>}
      </p>
      {failure.details.length > 0 && <ul>{failure.details.map((detail) => <li key={detail}>{detail}</li>)}</ul>}
      <p>
        {due !== undefined && <Countdown due={due} />}
        {failure.status === 403 && showOwn && <button onClick={showOwn}>Show only my own</button>}
        {failure.status !== 403 && <button onClick={retry}>Try now</button>}
      </p>
    </div>
  );
}

// Countdown is no part of what is read aloud: that would be read again every second.
function Countdown({ due }: { due: number }) {
  const seconds = Math.max(0, Math.ceil((due - useClock()) / 1000));
  return <span class="countdown" aria-live="off">The page asks again {seconds > 0 ? `in ${seconds} s` : "now"}. </span>;
}

// SignIn takes a token from a person. The view stays as it is.
export function SignIn({ tokens, failure }: { tokens: Tokens; failure: Failure | undefined }) {
  const [text, setText] = useState("");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    tokens.set(text.trim().replace(/^Bearer\s+/i, ""));
    setText("");
  };
  return (
    <form class="sign-in" onSubmit={submit} aria-labelledby="sign-in">
      <div role="alert"><h2 id="sign-in">{titleOf(tokens)}</h2></div>
      <p>
        {tokens.isEmbedded && "The application that embeds this page handed over no other one. "}
        Paste a session token of your organization{tokens.token && " to go on with this view"}. It is kept until this tab is
        closed, and sent to this service only.
        {failure?.requestId && <> The request was <code>{failure.requestId}</code>.</>}
      </p>
      <label>
        Token
        <textarea rows={3} required autocomplete="off" spellcheck={false} value={text}
          onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button class="primary">Continue</button>
    </form>
  );
}

function titleOf(tokens: Tokens): string {
  if (!tokens.token) {
    return "A token is needed";
  }
  return tokens.claims.expires < Date.now() ? "Your token has expired" : "Your token was not accepted";
}
