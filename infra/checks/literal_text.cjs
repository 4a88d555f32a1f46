/**
 * An ESLint rule: all texts of the site are in web/texts, so that they exist in every language.
 *
 * A string looks like a text if it has a capital letter that is followed by a small one, two words in a row, or an
 * ellipsis. It is none where only programs read it: as the name of an import or a property, in a comparison,
 * as markup, or as an argument of a function that expects a selector, an attribute or a key.
 */
const TEXT = /\p{Lu}\p{Ll}|\p{L}{2} \p{L}{2}|…/u;
const WORD = /(?<=\s)\p{L}{3,}(?=$|[\s.,:])|(?<=^)\p{L}{3,}(?=\s)/u; // beside a value in a template literal, one word is a text
const NAMES = new Set([
  ..."Notflix|IMDb|Internet Movie Database".split("|"), // the same in every language
  ..."RequestError|PutError|Unreadable|Bearer |Files|narrowSymbol|noopener noreferrer|notflix film|notflix shell ".split("|"),
  '12px "Inter Variable", system-ui, sans-serif',
]);
const NO_READERS = new Set([
  ..."querySelector querySelectorAll closest matches getElementById getElementsByTagName getAttribute removeAttribute".split(" "),
  ..."setProperty addEventListener createElement createElementNS configure storage getItem postMessage Error".split(" "),
]);
const FIRST_IS_A_NAME = new Set(["setAttribute", "setItem", "set"]);
const COMPARISONS = new Set(["===", "!==", "in"]);

/** The name of the function that a call calls: `say` of `say(…)`, `add` of `list.add(…)`. */
const nameOf = ({ callee }) => callee.property?.name ?? callee.name ?? "";

function isForPrograms(node) {
  const { parent } = node;
  switch (parent.type) {
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "MemberExpression":
    case "SwitchCase":
      return true;
    case "Property":
      return parent.key === node;
    case "BinaryExpression":
      return COMPARISONS.has(parent.operator);
    case "CallExpression":
    case "NewExpression":
      return NO_READERS.has(nameOf(parent)) || (FIRST_IS_A_NAME.has(nameOf(parent)) && parent.arguments[0] === node);
    default:
      return false;
  }
}

module.exports = {
  meta: {
    type: "problem",
    docs: { description: "All texts are in web/texts." },
    messages: { outside: "“{{ text }}” looks like a text; add it to every file in web/texts and write t(\"its.key\")." },
    schema: [],
  },
  create(context) {
    const report = (node, text) => context.report({ node, messageId: "outside", data: { text: text.trim() } });
    return {
      Literal(node) {
        if (typeof node.value === "string" && TEXT.test(node.value) && !NAMES.has(node.value) && !isForPrograms(node)) report(node, node.value);
      },
      TemplateLiteral(node) {
        const parts = node.quasis.map((quasi) => quasi.value.cooked);
        const isText = parts.some((part) => !NAMES.has(part) && (TEXT.test(part) || WORD.test(part)));
        if (isText && !parts[0].startsWith("<") && !isForPrograms(node)) report(node, parts.join(" "));
      },
    };
  },
};
