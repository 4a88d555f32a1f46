/** Passkeys in the browser: WebAuthn with the JSON forms that the API sends and receives. */
import { RequestError } from "../net.js";
import { t } from "../texts.js";

/** Return whether this browser can use passkeys on this site. */
export const hasPasskeys = () => typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";

/**
 * Return the sentence for a failed ceremony.
 * @param {unknown} error
 */
export function passkeyFault(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "InvalidStateError") return t("passkeys.device_already_has_passkey");
  if (name === "NotAllowedError") return t("passkeys.passkey_was_not_confirmed");
  return t("passkeys.browser_could_not_use");
}

/**
 * @param {() => Promise<Credential | null>} ceremony
 * @returns {Promise<Record<string, unknown>>}
 */
async function answerOf(ceremony) {
  let credential;
  try {
    credential = /** @type {PublicKeyCredential | null} */ (await ceremony());
  } catch (error) {
    throw new RequestError(400, "passkey", passkeyFault(error));
  }
  if (!credential) throw new RequestError(400, "passkey", passkeyFault(null));
  return /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (credential.toJSON()));
}

/**
 * Create a passkey; raise RequestError with a sentence for the user.
 * @param {any} options
 */
export const createPasskey = (options) =>
  answerOf(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));

/**
 * Ask for a passkey; raise RequestError with a sentence for the user.
 * @param {any} options
 */
export const usePasskey = (options) =>
  answerOf(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));
