/** The ages of certificates; functions/catalogue/certificates.py has the same table and says where it comes from. */

const AGES = new Map([
  ["G", 0], ["U", 0], ["TV-Y", 0], ["TV-G", 0], ["TV-Y7", 7], ["TV-Y7-FV", 7], ["PG", 8], ["GP", 8], ["TV-PG", 10],
  ["PG-13", 13], ["TV-14", 14], ["R", 17], ["TV-MA", 17], ["NC-17", 18], ["R18", 18], ["X", 18],
]);

/**
 * Return from which age a title is suitable; null if it has no certificate, or one of an unknown meaning.
 * @param {string | null | undefined} certificate
 */
export function ageOf(certificate) {
  const word = (certificate ?? "").toUpperCase().trim().replace(/\s+/g, " ");
  const numbered = /^(?:FSK[ -]?)?(\d{1,2})[A+]?$/.exec(word);
  return AGES.get(word) ?? (numbered ? Number(numbered[1]) : null);
}

/**
 * Return whether a profile with a limit may play a title; without a known age, only a profile without a limit may.
 * @param {{ rated?: string | null }} title
 * @param {number | null | undefined} ageLimit
 */
export function isSuitable({ rated }, ageLimit) {
  const age = ageOf(rated);
  return (ageLimit ?? null) === null || (age !== null && age <= Number(ageLimit));
}
