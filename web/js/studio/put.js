/**
 * Requests to blob storage: a PUT with progress events, and the lists of the blocks that a blob and an upload have. The
 * PUT uses XMLHttpRequest, because `fetch` has no upload progress.
 */
import { PutError, readBlockList } from "./upload.js";

const SILENT_MS = 60_000;
const CODE = /<Code>(\w+)<\/Code>/;
const ETAG = /^etag:\s*(\S+)/im;

/**
 * Upload `body` with PUT; resolve on 2xx with the ETag in the response, or null, otherwise reject with PutError. A
 * connection without progress for a minute is aborted.
 * @param {string} address
 * @param {XMLHttpRequestBodyInit} body
 * @param {import("./upload.js").PutOptions} how
 * @returns {Promise<string | null>}
 */
export function put(address, body, { signal, onBytes, headers = {} }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const restartTimer = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), SILENT_MS);
    };
    const stop = () => request.abort();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    const fail = (/** @type {unknown} */ error) => {
      end();
      reject(error);
    };
    request.open("PUT", address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded }) => {
      restartTimer();
      onBytes(loaded);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) {
        end();
        resolve(ETAG.exec(request.getAllResponseHeaders())?.[1] ?? null); // browsers complain about a missing header
      } else fail(new PutError(request.status, CODE.exec(request.responseText)?.[1]));
    });
    request.addEventListener("error", () => fail(new PutError(0)));
    request.addEventListener("abort", () => fail(signal.aborted ? signal.reason : new PutError(0)));
    signal.addEventListener("abort", stop);
    restartTimer();
    request.send(body);
  });
}

/**
 * Return the sizes of the blocks that storage has for an upload, by their ids; none if it has nothing. Raises PutError.
 * @param {string} address
 * @param {{ signal: AbortSignal }} how
 */
export const stored = async (address, how) => (await blocksAt(address, how)).sizes;

/**
 * Return the ids of the blocks of which a blob consists, in order, and its ETag; null if there is no blob. Raises
 * PutError.
 * @param {string} address
 * @param {{ signal: AbortSignal }} how
 */
export async function committed(address, how) {
  const { sizes, etag } = await blocksAt(address, how);
  return { ids: [...sizes.keys()], etag };
}

/**
 * @param {string} address
 * @param {{ signal: AbortSignal }} how
 * @returns {Promise<{ sizes: Map<string, number>, etag: string | null }>}
 */
async function blocksAt(address, { signal }) {
  let response;
  let text;
  try {
    response = await fetch(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(SILENT_MS)]), cache: "no-store" });
    text = await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new PutError(0);
  }
  if (response.status === 404) return { sizes: new Map(), etag: null };
  if (!response.ok) throw new PutError(response.status, CODE.exec(text)?.[1]);
  return { sizes: readBlockList(text), etag: response.headers.get("etag") };
}

/**
 * Wait for `ms`, or until the browser comes online if that is earlier; reject with the reason of `signal` if it is
 * aborted.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function waitOnline(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
