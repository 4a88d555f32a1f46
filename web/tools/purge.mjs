/**
 * Writes the rules of a stylesheet that the site uses to standard output.
 *
 *     node purge.mjs NODE_MODULES STYLESHEET WEB
 *
 * A rule is used if the words of its selector occur in a template or a script of the folder WEB. A custom property is
 * used if a used rule, or one of the site's own stylesheets, refers to it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, stylesheet, web] = process.argv.slice(2);
const { PurgeCSS } = createRequire(join(packages, "purgecss", "package.json"))("purgecss");

const used = await new PurgeCSS().purge({
  content: [join(web, "templates/**/*.html"), join(web, "js/**/*.js")],
  css: [{ raw: readFileSync(stylesheet, "utf8") }],
});
process.stdout.write(used[0].css);
