/**
 * Uploads a file to blob storage in blocks, several at a time, and commits them as a blob with one list (Put Block, Put
 * Block List). A block that did not arrive is sent again until it does. The caller supplies the functions that
 * send and wait, so this module does no input or output itself.
 */
import { backoff } from "../net.js";

/** @typedef {{ signal: AbortSignal, onBytes: (bytes: number) => void }} PutOptions */
/** @typedef {{ id: string, from: number, to: number }} Block bytes from `from` up to, but not including, `to` */

const MIB = 2 ** 20;
const SMALLEST_BLOCK = 8 * MIB;
const MOST_BLOCKS = 50_000; // the limit of Put Block List
const AT_ONCE = 4;
const MOST_RENEWALS = 2;
const TEMPORARY = new Set([0, 408, 429, 500, 502, 503, 504]);

/** An error of blob storage: its status, 0 for no response, and its error code. */
export class PutError extends Error {
  /** @param {number} status */
  constructor(status, code = "") {
    super(putText(status, code));
    this.name = "PutError";
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {number} status
 * @param {string} code
 */
function putText(status, code) {
  if (status === 0) return "There is no connection to storage.";
  if (status === 403) return "Storage no longer accepts this file. Log in again and choose it once more.";
  if (status === 413) return "The file is larger than storage accepts.";
  if (code === "InvalidBlobOrBlock") return "Another program is uploading a file of this name. Rename your file, or let that upload finish.";
  return `Storage answered ${code ? `${status} (${code})` : status}.`;
}

/** The file was changed, moved or deleted during the upload. */
export class Unreadable extends Error {
  constructor() {
    super("The file can no longer be read. If it was moved or changed, choose it again.");
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
 * Return the body of Put Block List. It refers only to uncommitted blocks, so a list that is sent twice is refused.
 * @param {{ id: string }[]} blocks
 */
export const blockList = (blocks) =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map(({ id }) => `<Uncommitted>${id}</Uncommitted>`).join("")}</BlockList>`;

/** @param {Blob} file */
async function assertReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new Unreadable();
  }
}

/**
 * Upload `file`. `put` sends one request and raises PutError; `ticket()` returns an address to write to, and is called
 * again when that address has expired; `onBytes(sent)` and `onTrouble(error or null)` report progress; `wait(ms,
 * signal)` waits before a retry.
 * @param {Blob} file
 * @param {{
 *   put: (address: string, body: any, how: PutOptions) => Promise<void>,
 *   ticket: () => Promise<string>,
 *   signal: AbortSignal,
 *   mark: string,
 *   onBytes?: (sent: number) => void,
 *   onTrouble?: (error: PutError | null) => void,
 *   wait: (ms: number, signal: AbortSignal) => Promise<void>,
 *   blockBytes?: number,
 * }} how
 */
export async function sendFile(file, { put, ticket, signal, mark, onBytes = () => {}, onTrouble = () => {}, wait, blockBytes }) {
  const blocks = blocksOf(file.size, mark, blockBytes);
  /** @type {Map<string, number>} */
  const sent = new Map();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let address = ticket();
  const tell = (/** @type {string} */ id, /** @type {number} */ bytes) => {
    sent.set(id, bytes);
    onBytes([...sent.values()].reduce((sum, one) => sum + one, 0));
  };

  /**
   * Retry the PUT until it succeeds. After a response was `lost`, `isDone(error, lost)` may decide that an error means
   * that the earlier attempt succeeded.
   * @param {(address: string) => string} makeAddress
   * @param {any} body
   * @param {{ onBytes: (bytes: number) => void, isDone?: (error: PutError, lost: boolean) => boolean }} how
   */
  async function persist(makeAddress, body, { onBytes: count, isDone = () => false }) {
    let lost = false;
    const moved = (/** @type {number} */ bytes) => {
      if (lost && bytes) onTrouble(null); // the connection is back; do not wait until the whole block has arrived
      count(bytes);
    };
    for (let attempt = 1, renewals = 0; ; attempt += 1) {
      either.throwIfAborted();
      const current = address;
      try {
        await put(makeAddress(await current), body, { signal: either, onBytes: moved });
        onTrouble(null);
        return;
      } catch (error) {
        if (!(error instanceof PutError) || either.aborted) throw error;
        if (isDone(error, lost)) return;
        count(0);
        if (error.status === 403 && renewals < MOST_RENEWALS) { // the address has expired; stored blocks are kept
          renewals += 1;
          if (address === current) address = ticket();
          continue;
        }
        if (!TEMPORARY.has(error.status)) throw error;
        if (error.status === 0) await assertReadable(file);
        lost = true;
        onTrouble(error);
        await wait(backoff(attempt), either);
      }
    }
  }

  const rest = blocks[Symbol.iterator](); // shared: each worker takes the next block that no other worker has taken
  async function work() {
    for (const { id, from, to } of rest) {
      await persist((at) => blockAddress(at, id), file.slice(from, to), { onBytes: (bytes) => tell(id, bytes) });
      tell(id, to - from);
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, blocks.length) }, work));
    await persist(listAddress, blockList(blocks), {
      onBytes: () => {},
      isDone: (error, lost) => lost && error.code === "InvalidBlockList", // committed, but the response was lost
    });
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
