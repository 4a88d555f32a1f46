/**
 * Stores each text file of a built site compressed beside it: `site.css.br` and `site.css.gz`.
 *
 *     node compress.mjs FOLDER
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const TEXT = new Set([".css", ".html", ".js", ".json", ".svg", ".webmanifest", ".xml"]);
const LEAST_BYTES = 1024;
/** Brotli's best quality takes seconds for a large file, and makes it only a few percent smaller. */
const LARGE_BYTES = 200_000;

const [folder] = process.argv.slice(2);
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isFile() || !TEXT.has(extname(path))) continue;
  const content = readFileSync(path);
  if (content.length < LEAST_BYTES) continue;
  const quality = content.length > LARGE_BYTES ? 9 : constants.BROTLI_MAX_QUALITY;
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
}
