/** Requests: JSON in, JSON out, passing faults tried again, lasting ones told as an error that has a sentence. */

export class RequestError extends Error {
  constructor(status, code, detail, retryAfterS = null) {
    super(detail);
    this.name = "RequestError";
    this.status = status; // 0: no answer at all
    this.code = code;
    this.retryAfterS = retryAfterS; // null where the answer does not say, or does not let the page read it
  }
}

const PASSING = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

/** Worth asking again without anybody having changed anything? */
export const isPassing = (error) => error instanceof RequestError && PASSING.has(error.status);

/** Milliseconds before attempt `n` (1, 2, …): doubled each time, spread so that pages do not knock in step. */
export const backoff = (attempt, random = Math.random) => Math.min(8000, 400 * 2 ** (attempt - 1)) * (0.7 + 0.6 * random());

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Run `work`, again after passing faults, at most `attempts` times. */
export async function persist(work, { attempts = 4, wait = pause, random = Math.random } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !isPassing(error)) throw error;
      await wait(backoff(attempt, random));
    }
  }
}

/** Seconds of a Retry-After header; null for none, and for a date, which our API never sends. */
export const retryAfterS = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

/** Ask once; return the JSON of a 2xx, null for an empty one; raise RequestError for everything else. */
export async function ask(address, { method = "GET", body, headers = {}, signal = AbortSignal.timeout(30_000) } = {}, fetcher = fetch) {
  let response;
  try {
    response = await fetcher(address, {
      method,
      signal,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, "unreachable", "There is no connection to Notflix.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new RequestError(
    response.status,
    answer?.error ?? "unexpected",
    answer?.detail ?? `The server answered ${response.status}.`,
    retryAfterS(response.headers.get("retry-after")),
  );
}

export const getJson = (address, options) => persist(() => ask(address), options);

/** Addresses of the API, from the page. */
export function api(path) {
  return `${document.documentElement.dataset.api}/api/${path}`;
}

/** Call `work` again and again, `delay()` milliseconds after it ended; rests while the page is hidden; null ends it. */
export function repeat(work, delay) {
  let timer = 0;
  let stopped = false;
  const next = () => {
    const ms = stopped ? null : delay();
    if (ms !== null) timer = setTimeout(run, ms);
  };
  async function run() {
    if (document.visibilityState === "visible") await work();
    next();
  }
  next();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
