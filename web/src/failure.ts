// Why there is no answer, in words.

export interface Failure {
  status: number; // 0: the service could not be reached
  sentence: string;
  details: string[];
  requestId: string;
  retryAfter: number | undefined; // in milliseconds; undefined: trying again does not help, or nobody said when
}

// failureOf reads the answer of a request that failed.
export async function failureOf(response: Response): Promise<Failure> {
  const body = (await response.json().catch(() => ({}))) as { error?: unknown; details?: unknown };
  return {
    status: response.status,
    sentence: typeof body.error === "string" ? body.error : `The service answered with status ${response.status}.`,
    details: Array.isArray(body.details) ? body.details.map((d: { message?: unknown }) => String(d.message)) : [],
    requestId: response.headers.get("X-Request-Id") ?? "",
    retryAfter: retryAfterOf(response),
  };
}

// withStop ends a sentence, because others follow it on the page: the service's own need no full stop where they stand.
export const withStop = (sentence: string): string => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);

export const unreachable: Failure = {
  status: 0, sentence: "The service can't be reached.", details: [], requestId: "", retryAfter: undefined,
};

// retryAfterOf reads Retry-After, which is a number of seconds or a date.
function retryAfterOf(response: Response): number | undefined {
  const header = response.headers.get("Retry-After");
  if (!header) {
    return undefined;
  }
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

// Statuses that may be other ones soon, though nothing is changed.
const passing = [0, 429, 500, 502, 503, 504];
const shortestPause = 5_000;
const longestPause = 60_000;

// pauseOf returns how long to wait before the page asks again by itself, undefined if it should not. Without a word of
// the service, pauses double.
export function pauseOf(failure: Failure, attempts: number): number | undefined {
  if (!passing.includes(failure.status)) {
    return undefined;
  }
  return failure.retryAfter ?? Math.min(shortestPause * 2 ** attempts, longestPause);
}

// headlineOf says what the failure means to whoever looks at the page.
export function headlineOf(failure: Failure): string {
  switch (failure.status) {
    case 0: return "The service can't be reached";
    case 400: return "This view can't be answered";
    case 403: return "This view is for administrators";
    case 408: return "The answer took too long";
    case 429: return "Too many requests";
    case 503: return "There is no answer for the moment";
  }
  return "Something went wrong";
}
