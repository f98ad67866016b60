// Builds src/cashup/backtest/report/assets/echarts.min.js and copies the licences it obliges us to carry.
// Run it only to change the ECharts version or the charts in echarts.entry.mjs: npm ci && npm run build
import { build } from "esbuild";
import { readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const assets = join(here, "../../src/cashup/backtest/report/assets");
const modules = join(here, "node_modules");
const versionOf = async (name) => JSON.parse(await readFile(join(modules, name, "package.json"), "utf8")).version;
const echarts = await versionOf("echarts");
const zrender = await versionOf("zrender");
const tslib = await versionOf("tslib");

const output = join(assets, "echarts.min.js");
await build({
  entryPoints: [join(here, "echarts.entry.mjs")],
  outfile: output,
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2018",
  charset: "ascii",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  banner: {
    js: `/* Apache ECharts ${echarts} (Apache-2.0) with zrender ${zrender} (BSD-3-Clause) and tslib ${tslib} (0BSD); licences: echarts.LICENSE.txt */`,
  },
});

const part = async (title, ...path) => `${title}\n${"=".repeat(title.length)}\n\n${await readFile(join(modules, ...path), "utf8")}`;
await writeFile(
  join(assets, "echarts.LICENSE.txt"),
  [
    "echarts.min.js is a tree-shaken, minified build of the libraries below, unmodified otherwise.",
    await part(`Apache ECharts ${echarts}: NOTICE`, "echarts", "NOTICE"),
    await part(`Apache ECharts ${echarts}: licence`, "echarts", "LICENSE"),
    await part(`zrender ${zrender}: licence`, "zrender", "LICENSE"),
    await part(`tslib ${tslib}: licence`, "tslib", "LICENSE.txt"),
  ].join("\n\n").replace(/\r\n/g, "\n").trimEnd() + "\n",
);
console.log(`${output}: ${Math.round((await stat(output)).size / 1000)} kB`);
