/**
 * All data of the viewer in one JSON file, collected from the API: each part has the form of the API's own answer. A
 * test compares the routes with those in docs/api/openapi.json that a viewer may read.
 */

/** @import { ProfileList } from "../types.js" */
/** @typedef {(path: string) => Promise<any>} Ask requests a path of the API as the viewer */

/** The parts that each consist of one answer. */
export const WHOLE = { profile: "me", second_factors: "me/second-factors", emails: "me/emails", profiles: "profiles", subscription: "subscription", playing_now: "streams" };

/**
 * The parts that are lists with pages: the path, and the name of the list in the answer.
 * @type {Record<string, [path: string, list: string]>}
 */
export const PAGED = {
  logins: ["me/logins", "logins"],
  payments: ["payments", "payments"],
  watched: ["usage", "entries"],
  list: ["list", "titles"],
  ratings: ["ratings", "ratings"],
};

/** The parts that each profile has. */
export const OF_PROFILE = ["watched", "list", "ratings"];

/**
 * @param {Ask} ask
 * @param {string} path
 * @param {string} list
 * @param {string} [profile] the id of another profile
 */
async function all(ask, path, list, profile = "") {
  const entries = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({ ...(profile && { profile }), ...(cursor && { cursor }) });
    const page = await ask(query.size ? `${path}?${query}` : path);
    entries.push(...page[list]);
    cursor = page.cursor ?? "";
  } while (cursor);
  return entries;
}

/**
 * Return all data of the viewer; the account's own profile gets that of the other profiles, too. Raises RequestError: a
 * part that cannot be loaded is never left out.
 * @param {Ask} ask
 * @param {Date} now
 * @returns {Promise<Record<string, unknown>>}
 */
export async function collectData(ask, now) {
  /** @type {Record<string, unknown>} */
  const data = { exported_at: now.toISOString() };
  for (const [name, path] of Object.entries(WHOLE)) data[name] = await ask(path);
  for (const [name, [path, list]] of Object.entries(PAGED)) data[name] = await all(ask, path, list);
  const { profiles, current } = /** @type {ProfileList} */ (data.profiles);
  const others = profiles.filter(({ id }) => id !== current && profiles.some((one) => one.own && one.id === current));
  /** @type {Record<string, unknown>[]} */
  const watched = [];
  for (const { id, name } of others) {
    /** @type {Record<string, unknown>} */
    const found = { id, name };
    for (const part of OF_PROFILE) found[part] = await all(ask, ...PAGED[part], id);
    watched.push(found);
  }
  data.other_profiles = watched;
  return data;
}
