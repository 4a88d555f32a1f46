/**
 * Uploads a file to blob storage in blocks, several at a time, and commits them as a blob with one list (Put Block, Put
 * Block List). If the upload has an id, blocks are also committed while it runs, so that the film can be watched; then
 * the index at the end of an MP4 is sent first (see `commits.js`). A block that did not arrive is sent again until it
 * does. If an earlier upload of the same file was paused, or its page was closed, the blocks that storage already has
 * are not sent again (Get Block List). A list that is being sent is not aborted, because storage might still commit it.
 * Each list names the version of the blob that it replaces, so a page that was left open does not replace what somebody
 * else has uploaded since.
 * The caller supplies the functions that send and wait, so this module does no input or output itself.
 */
import { backoff } from "../net.js";
import { t } from "../texts.js";
import { commitsOf, indexPosition } from "./commits.js";

/** @typedef {{ signal: AbortSignal, onBytes: (bytes: number) => void, headers?: Record<string, string> }} PutOptions */
/** @typedef {{ id: string, from: number, to: number }} Block bytes from `from` up to, but not including, `to` */

const MIB = 2 ** 20;
const SMALLEST_BLOCK = 8 * MIB;
const MOST_BLOCKS = 50_000; // the limit of Put Block List
const AT_ONCE = 4;
const MOST_RENEWALS = 2;
const MOST_ADOPTIONS = 3;
const TEMPORARY = new Set([0, 408, 429, 500, 502, 503, 504]);
/**
 * Return whether storage answers that a blob has another version than the one to replace.
 * @param {string} code
 */
const isOtherVersion = (code) => code === "ConditionNotMet" || code === "BlobAlreadyExists";

/** An error of blob storage: its status, 0 for no response, and its error code. */
export class PutError extends Error {
  /** @param {number} status */
  constructor(status, code = "") {
    super(putText(status, code));
    this.name = "PutError";
    this.status = status;
    this.code = code;
  }

  /** Whether the blob has another version than the one that was to be replaced. */
  get isReplaced() {
    return isOtherVersion(this.code);
  }
}

/**
 * @param {number} status
 * @param {string} code
 */
function putText(status, code) {
  if (status === 0) return t("upload.there_no_connection_storage");
  if (status === 403) return t("upload.storage_no_longer_accepts");
  if (status === 413) return t("upload.file_larger_than_storage");
  if (isOtherVersion(code)) return t("upload.file_changed_since");
  if (code === "InvalidBlobOrBlock") return t("upload.another_program_uploading_file");
  return t("upload.answered", { status: code ? `${status} (${code})` : status });
}

/** The file was changed, moved or deleted during the upload. */
export class Unreadable extends Error {
  constructor() {
    super(t("upload.file_can_no_longer"));
    this.name = "Unreadable";
  }
}

/** @param {number} size */
export const blockSize = (size) => Math.max(SMALLEST_BLOCK, Math.ceil(size / MOST_BLOCKS / MIB) * MIB);

/**
 * Return the blocks of a file of `size` bytes. All ids have the same length; `mark` distinguishes two uploads of the
 * same name.
 * @param {number} size
 * @param {string} mark
 * @returns {Block[]}
 */
export function blocksOf(size, mark, each = blockSize(size)) {
  return Array.from({ length: Math.ceil(size / each) }, (_, index) => ({
    id: btoa(`${mark}-${String(index).padStart(6, "0")}`),
    from: index * each,
    to: Math.min(size, (index + 1) * each),
  }));
}

/**
 * @param {string} address
 * @param {string} id
 */
export const blockAddress = (address, id) => `${address}&comp=block&blockid=${encodeURIComponent(id)}`;
/** @param {string} address */
export const listAddress = (address) => `${address}&comp=blocklist`;

/**
 * Return the body of Put Block List for an upload that is committed in steps: blocks may have been committed before.
 * @param {{ id: string }[]} blocks
 */
export const growingList = (blocks) =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map(({ id }) => `<Latest>${id}</Latest>`).join("")}</BlockList>`;

/**
 * Return the body of Put Block List. It refers only to uncommitted blocks, so a list that is sent twice is refused.
 * @param {{ id: string }[]} blocks
 */
export const blockList = (blocks) =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map(({ id }) => `<Uncommitted>${id}</Uncommitted>`).join("")}</BlockList>`;

/**
 * @param {string} address
 * @param {"uncommitted" | "committed" | "all"} kind
 */
export const storedAddress = (address, kind = "uncommitted") => `${address}&comp=blocklist&blocklisttype=${kind}`;

const STORED = /<Block>\s*<Name>([^<]+)<\/Name>\s*<Size>(\d+)<\/Size>\s*<\/Block>/g;

/**
 * Return the sizes of the blocks in a response of Get Block List, keyed by their ids.
 * @param {string} text
 * @returns {Map<string, number>}
 */
export const readBlockList = (text) => new Map([...text.matchAll(STORED)].map(([, id, size]) => [id, Number(size)]));

/**
 * Return the headers of a request that replaces the version `over` of a blob: its ETag, or null if there is no blob;
 * undefined stands for any version.
 * @param {string | null | undefined} over
 * @returns {Record<string, string>}
 */
function conditionOf(over) {
  if (over === undefined) return {};
  return over === null ? { "If-None-Match": "*" } : { "If-Match": over };
}

/**
 * Return bytes of a file. Raises Unreadable.
 * @param {Blob} part
 */
async function bytesOf(part) {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new Unreadable();
  }
}

const SAMPLE = MIB / 4;

/**
 * Return the mark of a file's blocks, eight hex digits: the same for the same file after a reload, another one if the
 * file was changed. It is computed from the file's size, the time of its last change, and samples from its beginning,
 * middle and end. Raises Unreadable.
 * @param {Blob & { lastModified?: number }} file
 */
export async function markOf(file) {
  const middle = Math.floor(file.size / 2);
  const samples = [[0, SAMPLE], [middle, middle + SAMPLE], [Math.max(0, file.size - SAMPLE), file.size]];
  const parts = await Promise.all(samples.map(([from, to]) => bytesOf(file.slice(from, to))));
  const facts = new TextEncoder().encode(`${file.size} ${file.lastModified ?? 0}\n`);
  const digest = await crypto.subtle.digest("SHA-256", await new Blob([facts, ...parts]).arrayBuffer());
  return [...new Uint8Array(digest).subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Upload `file`; `upload` is the id under which it may be committed in steps, or empty. `put` sends one request.
 * `stored` returns the blocks that storage has: their sizes, keyed by their ids. `committed` returns the ids of the blocks
 * of which the blob consists, and its ETag. All raise PutError. `ticket()` returns an address to write to; it is called
 * again when that address has expired. `over` is the ETag of the blob that the file may replace, or null if there is
 * none; if it is left out, the file replaces any. `onCommitted(etag)` is called with each version that was committed,
 * `onBytes(sent)` and `onTrouble(error or null)` report progress, and `wait(ms, signal)` waits before a retry.
 * @param {Blob} file
 * @param {{
 *   put: (address: string, body: any, how: PutOptions) => Promise<string | null>,
 *   stored: (address: string, how: { signal: AbortSignal }) => Promise<Map<string, number>>,
 *   committed: (address: string, how: { signal: AbortSignal }) => Promise<{ ids: string[], etag: string | null }>,
 *   ticket: () => Promise<string>,
 *   signal: AbortSignal,
 *   mark: string,
 *   upload?: string,
 *   over?: string | null,
 *   onCommitted?: (etag: string | undefined) => void,
 *   onBytes?: (sent: number) => void,
 *   onTrouble?: (error: PutError | null) => void,
 *   wait: (ms: number, signal: AbortSignal) => Promise<void>,
 *   blockBytes?: number,
 *   commitBytes?: number,
 * }} how
 */
export async function sendFile(file, { put, stored, committed, ticket, signal, mark, upload = "", over, onCommitted = () => {}, onBytes = () => {}, onTrouble = () => {}, wait, blockBytes, commitBytes }) {
  const blocks = blocksOf(file.size, mark, blockBytes);
  /** @type {Map<string, number>} */
  const sent = new Map();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let address = ticket();
  let troubled = false;
  const trouble = (/** @type {PutError | null} */ error) => {
    if (error || troubled) onTrouble(error);
    troubled = error !== null;
  };
  const tell = (/** @type {string} */ id, /** @type {number} */ bytes) => {
    sent.set(id, bytes);
    onBytes([...sent.values()].reduce((sum, one) => sum + one, 0));
  };

  /**
   * Retry a request until it succeeds, and return its result.
   * @template T
   * @param {(address: string, how: PutOptions) => Promise<T>} request
   * @param {(bytes: number) => void} count
   * @returns {Promise<T>}
   */
  async function persist(request, count = () => {}) {
    let lost = false;
    const moved = (/** @type {number} */ bytes) => {
      if (lost && bytes) trouble(null); // the connection is back; do not wait until the whole block has arrived
      count(bytes);
    };
    for (let attempt = 1, renewals = 0; ; attempt += 1) {
      either.throwIfAborted();
      const current = address;
      try {
        const result = await request(await current, { signal: either, onBytes: moved });
        trouble(null);
        return result;
      } catch (error) {
        if (!(error instanceof PutError) || either.aborted) throw error;
        count(0);
        if (error.status === 403 && renewals < MOST_RENEWALS) { // the address has expired; stored blocks are kept
          renewals += 1;
          if (address === current) address = ticket();
          continue;
        }
        if (!TEMPORARY.has(error.status)) throw error;
        if (error.status === 0) await bytesOf(file.slice(0, 1));
        lost = true;
        trouble(error);
        await wait(backoff(attempt), either);
      }
    }
  }

  /**
   * Commit a list of blocks in place of the version `over`. If it is refused, storage may have a version of this file:
   * an answer was lost, or another browser uploads the same file. Return whether storage has the whole file.
   * @param {Block[]} wanted
   * @param {string} body
   * @param {{ signal?: AbortSignal, headers?: Record<string, string> }} how
   */
  async function commit(wanted, body, { signal: until = either, headers = {} } = {}) {
    const ids = new Set(blocks.map(({ id }) => id));
    for (let attempt = 1; ; attempt += 1) {
      try {
        const etag = await persist((at) => put(listAddress(at), body, { signal: until, headers: { ...headers, ...conditionOf(over) }, onBytes: () => {} }));
        over = over === undefined ? over : etag ?? undefined;
        onCommitted(over);
        return wanted.length === blocks.length;
      } catch (error) {
        if (!(error instanceof PutError) || !(error.isReplaced || error.code === "InvalidBlockList")) throw error;
        const found = await persist((at, how) => committed(storedAddress(at, "committed"), how));
        const isOurs = found.ids.length > 0 && found.ids.every((id) => ids.has(id));
        if (isOurs && found.ids.length === blocks.length) return true;
        if (!isOurs || !error.isReplaced || attempt === MOST_ADOPTIONS) throw error;
        over = found.etag ?? undefined;
      }
    }
  }

  try {
    const kept = await persist((at, how) => stored(storedAddress(at, upload ? "all" : "uncommitted"), how));
    const isKept = (/** @type {Block} */ { id, from, to }) => kept?.get(id) === to - from;
    for (const block of blocks.filter(isKept)) tell(block.id, block.to - block.from);
    const arrived = new Set(blocks.filter(isKept));
    const sendAll = async (/** @type {Block[]} */ wanted) => {
      const missing = wanted.filter((block) => !arrived.has(block));
      const rest = missing[Symbol.iterator](); // shared: each worker takes the next block that no other worker has taken
      const work = async () => {
        for (const block of rest) {
          const { id, from, to } = block;
          await persist((at, how) => put(blockAddress(at, id), file.slice(from, to), how), (bytes) => tell(id, bytes));
          tell(id, to - from);
          arrived.add(block);
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing.length) }, work));
    };
    if (upload) {
      const commits = commitsOf(blocks, { indexAt: await indexPosition(file), arrived, first: commitBytes });
      for (const { listed, front } of commits) {
        await sendAll(listed); // all of them have arrived before the list is sent, because it discards any other block
        /** @type {Record<string, string>} */
        const headers = { "x-ms-meta-upload": upload };
        if (front) Object.assign(headers, { "x-ms-meta-front": String(front), "x-ms-meta-whole": String(file.size) });
        const { signal: never } = new AbortController();
        if (await commit(listed, growingList(listed), { signal: never, headers })) break;
      }
    } else {
      await sendAll(blocks);
      await commit(blocks, blockList(blocks));
    }
  } finally {
    stop.abort();
  }
}

/** Measures the speed of an upload over the last seconds; times are in milliseconds. */
export class Meter {
  /** @type {{ bytes: number, atMs: number }[]} */
  #seen = [];

  constructor(windowMs = 8000) {
    this.windowMs = windowMs;
  }

  /**
   * @param {number} bytes
   * @param {number} atMs
   */
  note(bytes, atMs) {
    this.#seen.push({ bytes, atMs });
    while (this.#seen.length > 2 && atMs - this.#seen[0].atMs > this.windowMs) this.#seen.shift();
  }

  /** Bytes per second; 0 until there are enough measurements. */
  get rate() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || !last || last.atMs - first.atMs < 500) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }
}
