/**
 * When an upload is committed while it runs, and with which blocks: those from the beginning of the file that have
 * arrived, and after them the end of the file, if it has the index of an MP4. So the blob begins like the file, and its
 * metadata say how much of it does.
 */

/** @import { Block } from "./upload.js" */
/** @typedef {{ listed: Block[], front: number | null }} Commit the blocks in order; `front` is null if the file is whole */

const MIB = 2 ** 20;
const FIRST_COMMIT = 16 * MIB;
const GROWTH = 1 / 4; // the server reads an index again at each commit, so there must not be many
const LONGEST_TAIL = 256 * MIB;
const MOST_BOXES = 64;
const HEAD = 16;

/**
 * Return the commits of an upload. Blocks that have `arrived` already are in the first one.
 * @param {Block[]} blocks
 * @param {{ indexAt: number | null, arrived: Set<Block>, first?: number }} how `indexAt` is the position of the index
 * @returns {Commit[]}
 */
export function commitsOf(blocks, { indexAt, arrived, first = FIRST_COMMIT }) {
  const size = blocks.at(-1)?.to ?? 0;
  const hasTail = indexAt !== null && size - indexAt <= LONGEST_TAIL;
  const cut = hasTail ? blocks.findIndex(({ to }) => to > indexAt) : blocks.length;
  const tail = blocks.slice(cut);
  const kept = blocks.slice(0, cut).findLast((block) => arrived.has(block))?.to ?? 0;
  let goal = Math.max(first, kept);
  /** @type {Commit[]} */
  const commits = [];
  for (const [index, { to }] of blocks.slice(0, Math.max(0, cut - 1)).entries()) {
    if (to >= goal) {
      commits.push({ listed: [...blocks.slice(0, index + 1), ...tail], front: to });
      goal = to + Math.max(first, to * GROWTH);
    }
  }
  return [...commits, { listed: blocks, front: null }];
}

/**
 * Return the position of the index of an MP4 that has it after its media, or null (ISO/IEC 14496-12, 4.2).
 * @param {Blob} file
 */
export async function indexPosition(file) {
  for (let at = 0, boxes = 0, hasMedia = false; at + HEAD <= file.size && boxes < MOST_BOXES; boxes += 1) {
    const head = new DataView(await file.slice(at, at + HEAD).arrayBuffer());
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((index) => head.getUint8(index)));
    if (boxes === 0 && kind !== "ftyp") return null;
    if (kind === "moov") return hasMedia ? at : null;
    hasMedia ||= kind === "mdat";
    const short = head.getUint32(0);
    const length = short === 1 ? Number(head.getBigUint64(8)) : short;
    if (length < 8) return null;
    at += length;
  }
  return null;
}
