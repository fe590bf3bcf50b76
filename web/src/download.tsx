import { useState } from "preact/hooks";

import { Refusal } from "./client";

export type QuestionName = "stats" | "series" | "stack" | "table" | "knowledge";
export type Download = (question: QuestionName, what: string) => Promise<void>;

// DownloadButton saves what a panel shows as CSV, and says beside it why that failed.
export function DownloadButton({ download, what, question }: { download: Download; what: string; question: QuestionName }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const start = async (): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await download(question, what);
    } catch (error) {
      setProblem(error instanceof Refusal ? problemOf(error) : "The file could not be saved.");
    }
    setBusy(false);
  };
  return (
    <>
      {problem && <span class="mistake" role="alert">{problem}</span>}
      <button disabled={isBusy} aria-label={`Download as CSV: ${what}`} onClick={() => void start()}>CSV</button>
    </>
  );
}

function problemOf({ failure }: Refusal): string {
  return failure.requestId ? `${failure.sentence} (${failure.requestId})` : failure.sentence;
}
