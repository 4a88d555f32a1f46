/** What to watch next: shelves of whoever is logged in, and titles like one; each card says why it is there. */
import { authorized } from "./account/session.js";
import { api, ask, RequestError } from "./net.js";
import { orWithout } from "./viewing.js";

/** A title's card with the reason in the place of its facts, unless the shelf's heading says the same. */
export const withReason = ({ reason, ...title }, heading = "") => ({ ...title, because: !reason || reason.words === heading ? "" : reason.words });

/** The API's shelves as rows of the home page; ids are kept apart from those of the catalogue's own rows. */
export function recommendedRows({ shelves }) {
  return shelves
    .filter(({ titles }) => titles.length)
    .map(({ id, heading, titles }) => ({ id: `for-${id}`, name: heading, titles: titles.map((title) => withReason(title, heading)) }));
}

export const fetchRecommendedRows = () => orWithout(async () => recommendedRows(await authorized("recommendations", { leave: false })), []);

/** Titles like one, for anyone; null where the API does not answer, and the page shows what was published with it. */
export async function fetchSimilar(id) {
  try {
    const { titles } = await ask(api(`titles/${encodeURIComponent(id)}/similar`));
    return titles.map((title) => withReason(title));
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}
