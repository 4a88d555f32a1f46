/**
 * Loaded into Azurite before it starts: the name of a blob with characters that XML forbids is listed percent-encoded,
 * as Azure does since version 2021-02-12 of its API (List Blobs, `<Name Encoded="true">`). Azurite itself answers 500
 * to every listing that contains such a name.
 */
const { createRequire } = require("node:module");

const { Builder } = createRequire(process.argv[1])("xml2js");

// eslint-disable-next-line no-control-regex
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
// An XML parser reads a carriage return as a newline.
const CHANGED_BY_XML = /\r/;

/** Return a value with names encoded where necessary and other texts cut before a character that XML forbids. */
function safe(value, key = "") {
  if (typeof value === "string") {
    if (key === "Name" && (NOT_IN_XML.test(value) || CHANGED_BY_XML.test(value))) {
      return { $: { Encoded: "true" }, _: encodeURIComponent(value) };
    }
    return value.split(NOT_IN_XML)[0]; // a marker: the next page repeats a few names, and none is missed
  }
  if (Array.isArray(value)) {
    return value.map((each) => safe(each, key));
  }
  if (value && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, safe(each, name)]));
  }
  return value;
}

const build = Builder.prototype.buildObject;

Builder.prototype.buildObject = function buildSafely(body) {
  return build.call(this, safe(body));
};
