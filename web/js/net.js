/** Requests: JSON in, JSON out; temporary failures are retried, lasting ones become an error with a sentence. */

/** @import { RequestOptions } from "./types.js" */

export class RequestError extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} code
   * @param {string} detail a sentence for the viewer
   * @param {number | null} [retryAfterS] null when the answer does not say, or does not let the page read it
   */
  constructor(status, code, detail, retryAfterS = null) {
    super(detail);
    this.name = "RequestError";
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

const TEMPORARY = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

/**
 * Return whether the same request may succeed later.
 * @param {unknown} error
 */
export const isTemporary = (error) => error instanceof RequestError && TEMPORARY.has(error.status);

/**
 * Return the milliseconds before attempt `n` (1, 2, …): doubled each time, at most 8 s, spread at random so that many
 * pages do not retry at the same moment.
 * @param {number} attempt
 */
export const backoff = (attempt, random = Math.random) => Math.min(8000, 400 * 2 ** (attempt - 1)) * (0.7 + 0.6 * random());

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/**
 * Run `work`, again after temporary failures, at most `attempts` times.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function persist(work, { attempts = 4, wait = pause, random = Math.random } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts || !isTemporary(error)) throw error;
      await wait(backoff(attempt, random));
    }
  }
}

/**
 * Return the seconds of a Retry-After header; null for none, and for a date, which the API never sends.
 * @param {string | null | undefined} header
 */
export const retryAfterS = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

/**
 * Ask once. Return the JSON of a 2xx answer, null for 204; raise RequestError for everything else.
 * @param {string} address
 * @param {RequestOptions} [options]
 * @param {(address: string, init: RequestInit) => Promise<Response>} [fetcher]
 * @returns {Promise<any>}
 */
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
    if (error instanceof Error && error.name === "AbortError") throw error;
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

/**
 * Get JSON, again after temporary failures.
 * @param {string} address
 */
export const getJson = (address) => persist(() => ask(address));

/**
 * Return what `asking` gives, or `otherwise` if the request fails.
 * @template T, U
 * @param {Promise<T>} asking
 * @param {U} otherwise
 * @returns {Promise<T | U>}
 */
export const orElse = (asking, otherwise) =>
  asking.catch((error) => {
    if (error instanceof RequestError) return otherwise;
    throw error;
  });

/**
 * Return the address of `path` in the API.
 * @param {string} path
 */
export const api = (path) => `${document.documentElement.dataset.api}/api/${path}`;

/**
 * Call `work` again and again, `delay()` milliseconds after it ended, until `delay()` gives null; not while the page is
 * hidden. Return what stops it.
 * @param {() => unknown} work
 * @param {() => number | null} delay
 */
export function repeat(work, delay) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
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
