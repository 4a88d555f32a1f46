/**
 * What to watch next: shelves for the logged-in viewer, and titles similar to a given title; each card shows the
 * reason.
 */
import { authorized, forAnyone } from "./account/session.js";
import { playable } from "./cards.js";
import { orElse } from "./net.js";
import { orWithout } from "./viewing.js";
import { translated } from "./texts.js";

/** @import { Card, Recommended, Row, Shelf } from "./types.js" */

/**
 * Return a title's card with the reason in place of its facts, unless the shelf's heading already gives that reason.
 * @param {Recommended} title
 * @returns {Card}
 */
export const withReason = ({ reason, ...title }, heading = "") => ({ ...title, because: !reason || reason.words === heading ? "" : translated(reason.words) || reason.words });

/**
 * Return the API's shelves as rows of the home page; their ids differ from those of the catalogue's own rows.
 * @param {{ shelves: Shelf[] }} answer
 * @returns {Row[]}
 */
export function recommendedRows({ shelves }) {
  return shelves
    .filter(({ titles }) => titles.length)
    .map(({ id, heading, titles }) => ({ id: `for-${id}`, name: heading, titles: titles.map((title) => withReason(title, heading)) }));
}

/** @returns {Promise<Row[]>} */
export const fetchRecommendedRows = () => orWithout(async () => recommendedRows(await authorized("recommendations", { leave: false })), []);

/**
 * Return the playable titles similar to a title; null if the API does not respond.
 * @param {string} id
 * @returns {Promise<Card[] | null>}
 */
export async function fetchSimilar(id) {
  const answer = await orElse(forAnyone(`titles/${encodeURIComponent(id)}/similar`), null);
  return answer && playable(/** @type {Recommended[]} */ (answer.titles)).map((title) => withReason(title));
}
