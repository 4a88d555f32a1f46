/**
 * JavaScript lint: `./notflix check` runs it with NODE_PATH naming the folder in which the packages of tests/packages
 * are installed.
 */
const js = require("@eslint/js");
const globals = require("globals");
const literalText = require("./infra/checks/literal_text.cjs");

const NO_MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"].map((property) => ({
  property,
  message: "Text reaches the page by textContent; pieces are cloned from templates.",
}));

module.exports = [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "off", // tsc's noImplicitReturns knows which functions return nothing
      eqeqeq: "error",
      "max-lines": ["error", { max: 400 }],
      "no-console": "error",
      "no-constructor-return": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-properties": ["error", ...NO_MARKUP, { object: "document", property: "write" }],
      "no-self-compare": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-unmodified-loop-condition": "error",
      "no-unused-expressions": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-object-spread": "error",
      "prefer-template": "error",
      "require-atomic-updates": "off", // reports every assignment to a class's field after an await
    },
  },
  {
    files: ["web/js/**/*.js"],
    languageOptions: { globals: globals.browser },
    plugins: { notflix: { rules: { "literal-text": literalText } } },
    rules: { "notflix/literal-text": "error" },
  },
  { files: ["tests/unit/web/**/*.mjs"], languageOptions: { globals: globals.node } },
  { files: ["**/*.cjs"], languageOptions: { globals: globals.node, sourceType: "commonjs" } },
];
