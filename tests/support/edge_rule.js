/**
 * What Bunny's edge verifies before it answers from its cache (advanced token authentication, HMAC-SHA256), as a rule for
 * nginx (njs). `$token_key` is the key of the pull zone.
 */
import crypto from "crypto";

/** Return whether the token of a request is valid: "yes", or why not. */
function verdict(request) {
  const query = request.args;
  const folder = query.token_path || request.uri;
  if (!query.token || !query.expires) return "no token";
  if (Array.isArray(query.token) || Array.isArray(query.expires) || Array.isArray(query.token_path)) return "ambiguous";
  if (!request.uri.startsWith(folder)) return "other folder";
  const given = Object.keys(query).filter((name) => name !== "token" && name !== "expires");
  const covered = query.token_ignore_params === "true" ? given.filter((name) => name.startsWith("token_")) : given;
  const signed = covered.sort().map((name) => `${name}=${query[name]}`).join("&");
  const hash = crypto.createHmac("sha256", request.variables.token_key).update(`${folder}${query.expires}${signed}`);
  if (query.token !== `HS256-${hash.digest("base64url")}`) return "forged";
  return Number(query.expires) > Date.now() / 1000 ? "yes" : "expired";
}

export default { verdict };
