/** JSON requests. Temporary failures are retried; permanent ones become an error with a sentence for the user. */
import { IN_STUDIO, LANGUAGE, t, translated } from "./texts.js";

/** @import { RequestOptions } from "./types.js" */

export class RequestError extends Error {
  /**
   * @param {number} status 0 if there was no response
   * @param {string} code
   * @param {string} detail a sentence for the viewer
   * @param {number | null} [retryAfterS] null if the response does not contain it or the page may not read it
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
 * Return the delay in milliseconds before retry number `attempt` (1, 2, …): doubled each time, at most 8 s, and
 * randomized so that many pages do not retry at the same moment.
 * @param {number} attempt
 */
export const backoff = (attempt, random = Math.random) => Math.min(8000, 400 * 2 ** (attempt - 1)) * (0.7 + 0.6 * random());

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/**
 * Run `work`, and retry it after temporary failures, for at most `attempts` attempts.
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
 * Return the seconds in a Retry-After header; null if there is none or it is a date, which the API never sends.
 * @param {string | null | undefined} header
 */
export const retryAfterS = (header) => (/^\d+$/.test(header ?? "") ? Number(header) : null);

/**
 * Return the error of a request without a complete answer; the same error if the page itself has cancelled the request.
 * @param {unknown} error
 */
const connectionError = (error) => (error instanceof Error && error.name === "AbortError" ? error : new RequestError(0, "unreachable", t("common.there_no_connection_notflix")));

/**
 * Return a response with the same body; `onBytes(bytes)` is called with the size of each piece that arrives.
 * @param {Response} response
 * @param {((bytes: number) => void) | undefined} onBytes
 */
function noting(response, onBytes) {
  if (!onBytes || !response.body) return response;
  /** @type {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>} */
  const note = new TransformStream({
    transform(piece, next) {
      onBytes(piece.byteLength);
      next.enqueue(piece);
    },
  });
  return new Response(response.body.pipeThrough(note), { headers: response.headers });
}

/**
 * Send one request. Return the JSON (or with `asFile` the body) of a 2xx response, or null for 204; raise RequestError in all other cases.
 * @param {string} address
 * @param {RequestOptions} [options]
 * @param {(address: string, init: RequestInit) => Promise<Response>} [fetcher]
 * @returns {Promise<any>}
 */
export async function ask(address, { method = "GET", body, headers = {}, asFile = false, onBytes, keepalive = false, signal = AbortSignal.timeout(30_000) } = {}, fetcher = fetch) {
  let response;
  try {
    response = await fetcher(address, {
      method,
      signal,
      keepalive,
      headers: { "accept-language": LANGUAGE, ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw connectionError(error);
  }
  if (response.status === 204) return null;
  if (asFile && response.ok) return noting(response, onBytes).blob().catch((error) => { throw connectionError(error); });
  const answer = await response.json().catch((error) => {
    if (error instanceof SyntaxError) return null;
    throw connectionError(error); // the answer has not arrived completely
  });
  if (response.ok && answer !== null) return answer;
  throw new RequestError(
    response.status,
    answer?.error ?? "unexpected",
    sentenceFor(answer, response.status),
    retryAfterS(response.headers.get("retry-after")),
  );
}

/** The sentences for errors whose own sentence is not translated, by the error's code. */
const BY_CODE = new Map([
  ["too_many_attempts", t("error.too_many_attempts")],
  ["store_unavailable", t("error.store_unavailable")],
  ["busy", t("error.store_unavailable")],
  ["internal", t("error.internal")],
  ["mail_unavailable", t("error.mail")],
  ["mail_refused", t("error.mail")],
  ["paypal_refused", t("error.paypal")],
  ["wrong_credentials", t("error.wrong_credentials")],
  ["wrong_second_factor", t("error.wrong_factor")],
  ["entitlement_required", t("error.not_subscribed")],
  ["not_playable", t("error.not_playable")],
  ["address_not_confirmed", t("error.address_not_confirmed")],
  ["too_many_streams", t("error.streams")],
]);

/** The codes of errors whose own sentences are about the inside of the service, which concerns only owners. */
const INTERNAL = new Set(["internal", "mail_refused", "mail_unavailable", "paypal_refused", "store_unavailable"]);

/** The name of the field that a sentence is about, as the API has it. */
const FIELD = /^`\w+`: /;

/**
 * Return the sentence of an error in the page's language. A sentence without a translation, such as one about a file
 * or a setting in the Studio, stays in English.
 * @param {{ error?: string, detail?: string } | null} answer
 * @param {number} status
 */
function sentenceFor(answer, status) {
  const { error = "", detail } = answer ?? {};
  if (!detail) return t("net.answered", { status });
  const own = !IN_STUDIO && INTERNAL.has(error) ? "" : translated(detail);
  return (own || BY_CODE.get(error) || detail).replace(FIELD, "");
}

/**
 * Return the text for a failed request that the user may repeat later; a sentence of the API says so itself.
 * @param {Error} error
 */
export const tryLater = (error) => (error instanceof RequestError && error.status === 0 ? `${error.message} ${t("net.in_a_moment")}` : error.message);

/**
 * Fetch JSON, and retry after temporary failures.
 * @param {string} address
 */
export const getJson = (address) => persist(() => ask(address));

/**
 * Return the result of `asking`, or `otherwise` if the request fails.
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
 * Call `work` repeatedly, each time `delay()` milliseconds after the previous call ended, until `delay()` returns null;
 * pause while the page is hidden. Return a function that stops the repetition.
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
