// Makes the command line and the ranks few files, from src to dist/cli: a short command such as `check`, and every rank
// before it opens its adapter, would else spend most of its time on opening and linking three hundred modules. The
// library and the probe stay as tsc leaves them.

import { cpSync, readdirSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { build } from "rolldown";

/** Bundled: all that a short command needs. What is native or rarely needed is loaded from where it is installed. */
const bundled = ["commander", "smol-toml", "strip-json-comments", "unbash", "yaml", "zod"];
const loaded = [
  /^@opentelemetry\//,
  "@clack/prompts",
  "@bufbuild/protobuf",
  "@observablehq/plot",
  "@sparticuz/chromium",
  "koffi",
  "linkedom",
  "rfc6902",
  "tar-fs",
  "uplot",
  "webgpu",
];

/** Files are found from the module that names them, wherever its text has gone. */
const ownUrls = {
  name: "own-urls",
  transform: {
    filter: { id: /[\\/]src[\\/].*\.ts$/, code: "import.meta.url" },
    handler(code, id) {
      const module = relative("src/cli", id).replaceAll("\\", "/").replace(/\.ts$/, ".js");
      const url = `new URL(${JSON.stringify(module)}, import.meta.url).href`;
      return { code: code.replaceAll("import.meta.url", url), map: null };
    },
  },
};

/** The page's script takes some modules from elsewhere than Node does: it has no files, and shares no core with its GPU. */
const standIns = {
  name: "stand-ins",
  resolveId(id, importer) {
    const own = /\/(open_source|patience|read_ahead|shader_file)\.ts$/.exec(id)?.[1];
    const name = id === "node:timers/promises" ? "timers" : own;
    if (name === undefined && id.startsWith("node:")) {
      throw new Error(`${importer} imports ${id}, which no page has: give it a stand-in`);
    }
    return name === undefined ? null : resolve(`src/browser/stand_ins/${name}.ts`);
  },
};

/** What a report's page holds as it is, beside the module that reads it. */
cpSync("src/report/render/page", "dist/report/render/page", { recursive: true });

const licenseOf = (folder) =>
  `${folder}/${readdirSync(folder).find((name) => /^license/i.test(name))}`;

/** Their licenses ask to be kept with every copy. */
const licenses = {
  name: "licenses",
  generateBundle() {
    const texts = bundled.map(
      (name) => `${name}\n\n${readFileSync(licenseOf(`node_modules/${name}`), "utf8")}`,
    );
    this.emitFile({ type: "asset", fileName: "LICENSES.txt", source: texts.join("\n\n") });
  },
};

await build({
  input: {
    main: "src/cli/main.ts",
    rank: "src/runtime/rank.ts",
    loader: "src/data/loader_thread.ts",
  },
  platform: "node",
  external: loaded,
  plugins: [ownUrls, licenses],
  output: {
    dir: "dist/cli",
    cleanDir: true,
    chunkFileNames: "[name].js",
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});

await build({
  input: { page: "src/browser/main.ts" },
  platform: "browser",
  plugins: [standIns],
  transform: { inject: { process: [resolve("src/browser/stand_ins/process.ts"), "process"] } },
  output: {
    dir: "dist/browser",
    format: "iife",
    minify: true,
    comments: false,
    // Of its schemas, the one library that the page's script has beside ours.
    postBanner: `/* zod\n\n${readFileSync(licenseOf("node_modules/zod"), "utf8")}*/`,
  },
});
