/**
 * A file goes into blob storage in blocks, some at a time, and becomes a blob by one list of them (Put Block, Put Block
 * List). A block that did not arrive is sent again until it does: the file is lost only with the page. Pure: whoever
 * calls brings what puts and what waits.
 */
import { backoff } from "../net.js";

const MIB = 2 ** 20;
const SMALLEST_BLOCK = 8 * MIB;
const MOST_BLOCKS = 50_000; // Put Block List takes no more
const AT_ONCE = 4;
const PASSING = new Set([0, 408, 429, 500, 502, 503, 504]);

/** What the storage answered: its status, 0 for no answer, and the code of its error. */
export class PutError extends Error {
  constructor(status, code = "") {
    super(putText(status, code));
    this.name = "PutError";
    this.status = status;
    this.code = code;
  }
}

function putText(status, code) {
  if (status === 0) return "The storage cannot be reached.";
  if (status === 403) return "The storage no longer takes this file. Log in again, and choose it once more.";
  if (status === 413) return "The file is larger than the storage takes.";
  if (code === "InvalidBlobOrBlock") return "Another program has an unfinished upload of this name. Give the file another name, or let that one end.";
  return `The storage answered ${code ? `${status} (${code})` : status}.`;
}

/** The file changed, moved or went away while it was sent. */
export class Unreadable extends Error {
  constructor() {
    super("The file can no longer be read. Was it moved or changed? Choose it again.");
    this.name = "Unreadable";
  }
}

export const blockSize = (size) => Math.max(SMALLEST_BLOCK, Math.ceil(size / MOST_BLOCKS / MIB) * MIB);

/** The blocks of a file of `size` bytes; ids of one length, and `mark` keeps those of two uploads of a name apart. */
export function blocksOf(size, mark, each = blockSize(size)) {
  return Array.from({ length: Math.ceil(size / each) }, (_, index) => ({
    id: btoa(`${mark}-${String(index).padStart(6, "0")}`),
    from: index * each,
    to: Math.min(size, (index + 1) * each),
  }));
}

export const blockAddress = (address, id) => `${address}&comp=block&blockid=${encodeURIComponent(id)}`;
export const listAddress = (address) => `${address}&comp=blocklist`;

/** The body of Put Block List. Only blocks that were not listed yet: a list that came twice is known by its refusal. */
export const blockList = (blocks) =>
  `<?xml version="1.0" encoding="utf-8"?><BlockList>${blocks.map(({ id }) => `<Uncommitted>${id}</Uncommitted>`).join("")}</BlockList>`;

async function assertReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreadable();
  }
}

/**
 * Send `file`. `put(address, body, {signal, onBytes})` puts once and raises PutError; `ticket()` gives an address to
 * write at, and another when one has run out; `onBytes(sent)` and `onTrouble(error or null)` tell how it goes;
 * `wait(ms, signal)` passes the time before a block is sent again.
 */
export async function sendFile(file, { put, ticket, signal, mark, onBytes = () => {}, onTrouble = () => {}, wait, blockBytes }) {
  const blocks = blocksOf(file.size, mark, blockBytes);
  const sent = new Map();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let address = ticket();
  const tell = (id, bytes) => {
    sent.set(id, bytes);
    onBytes([...sent.values()].reduce((sum, one) => sum + one, 0));
  };

  /** Put until it is there; `isDone(error, lost)` may take a refusal for success once an answer was `lost`. */
  async function persist(makeAddress, body, { onBytes: count, isDone = () => false }) {
    let lost = false;
    for (let attempt = 1, renewals = 0; ; attempt += 1) {
      either.throwIfAborted();
      const current = address;
      try {
        await put(makeAddress(await current), body, { signal: either, onBytes: count });
        onTrouble(null);
        return;
      } catch (error) {
        if (!(error instanceof PutError) || either.aborted) throw error;
        if (isDone(error, lost)) return;
        count(0);
        if (error.status === 403 && renewals < 2) { // tickets run out; the blocks that are there stay
          renewals += 1;
          if (address === current) address = ticket();
          continue;
        }
        if (!PASSING.has(error.status)) throw error;
        if (error.status === 0) await assertReadable(file);
        lost = true;
        onTrouble(error);
        await wait(backoff(attempt), either);
      }
    }
  }

  const rest = blocks[Symbol.iterator](); // shared: each worker takes the next block that nobody has
  async function work() {
    for (const { id, from, to } of rest) {
      await persist((at) => blockAddress(at, id), file.slice(from, to), { onBytes: (bytes) => tell(id, bytes) });
      tell(id, to - from);
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, blocks.length) }, work));
    const isDone = (error, lost) => lost && error.code === "InvalidBlockList"; // listed; only the answer was lost
    await persist(listAddress, blockList(blocks), { onBytes: () => {}, isDone });
  } finally {
    stop.abort();
  }
}

/** How fast bytes go, over the last seconds; times in milliseconds. */
export class Meter {
  #seen = [];

  constructor(windowMs = 8000) {
    this.windowMs = windowMs;
  }

  note(bytes, atMs) {
    this.#seen.push({ bytes, atMs });
    while (this.#seen.length > 2 && atMs - this.#seen[0].atMs > this.windowMs) this.#seen.shift();
  }

  /** Bytes a second; 0 until there is enough to tell. */
  get rate() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || last.atMs - first.atMs < 500) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs));
  }
}
