/** What the fakes of blob storage in tests of uploads have in common. */
import { PutError } from "../../../web/js/studio/upload.js";

export const file = (text) => new Blob([text]);
export const idOf = (address) => new URL(address).searchParams.get("blockid");

/** The version of a blob, with the conditions of Put Block List as Azure and Azurite check them. */
export function makeVersions() {
  let number = 0;
  const versions = {
    etag: null,
    ids: [],
    check: (headers = /** @type {Record<string, string>} */ ({})) => {
      if (headers["If-None-Match"] === "*" && versions.etag) throw new PutError(409, "BlobAlreadyExists");
      if (headers["If-Match"] && headers["If-Match"] !== versions.etag) throw new PutError(412, "ConditionNotMet");
    },
    /** Another version of the blob, with the given blocks; returns its ETag. */
    replace: (ids) => {
      number += 1;
      Object.assign(versions, { etag: `"0x${number}"`, ids });
      return versions.etag;
    },
    listed: async () => ({ etag: versions.etag, ids: versions.ids }),
  };
  return versions;
}
