/** The profiles of an account: how they are named, and which of them this device used last. */
import { storage } from "./session.js";
import { t } from "../texts.js";

/** @import { AccountSession, Profile } from "../types.js" */

const LAST = "notflix.profiles";

/**
 * Return the name of a profile; the account's own need not have one.
 * @param {Pick<Profile, "name">} profile
 */
export const profileName = ({ name }) => name || t("profiles.you");

/**
 * Return what is special about a profile: its age limit and its PIN.
 * @param {Pick<Profile, "age_limit" | "locked">} profile
 */
export const profileFacts = ({ age_limit: age, locked }) =>
  [age === null ? "" : t("profiles.up_to_age", { age }), locked ? t("profiles.with_pin") : ""].filter(Boolean).join(" · ");

/**
 * Return the facts about the profile that the session stores.
 * @param {Profile} profile
 * @returns {Partial<AccountSession>}
 */
export const sessionFacts = (profile) => ({
  profile_id: profile.id,
  profile_name: profile.name,
  profile_colour: profile.colour,
  age_limit: profile.age_limit,
});

/**
 * Return the proof for a change: four digits are the PIN of the account's own profile, everything else is the password.
 * @param {string} typed
 */
export const proofOf = (typed) => (/^\d{4}$/.test(typed) ? { own_pin: typed } : { password: typed });

/**
 * Return the ids of the profiles that this device used last, by account.
 * @param {Pick<Storage, "getItem">} store
 * @returns {Record<string, string>}
 */
function lastOf(store) {
  try {
    return Object(JSON.parse(store.getItem(LAST) ?? "{}"));
  } catch {
    return {}; // not written by this page
  }
}

/**
 * Return the id of the profile that an account used last on this device; "" if none is known.
 * @param {string | undefined} userId
 */
export const lastProfile = (userId, store = storage("localStorage")) => lastOf(store)[userId ?? ""] ?? "";

/**
 * Remember the profile that an account uses on this device.
 * @param {string | undefined} userId
 * @param {string} profileId
 */
export function rememberProfile(userId, profileId, store = storage("localStorage")) {
  if (userId) store.setItem(LAST, JSON.stringify({ ...lastOf(store), [userId]: profileId }));
}
