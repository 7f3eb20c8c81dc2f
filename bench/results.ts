// Results as files: Markdown to read, JSON with every sample, both with the conditions they were taken under.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { dirname } from "node:path";
import type { AdapterReport } from "../src/gpu/adapter.ts";

export interface Conditions {
  readonly adapter: string;
  readonly device: string;
  readonly driver: string;
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly date: string;
  /** Of Shardbench, Dawn's bindings and what else takes part. */
  readonly versions: Readonly<Record<string, string>>;
}

/** @param packages folders' `package.json` of what takes part besides, by name */
export async function conditionsOf(
  { choice, device, driver }: AdapterReport,
  packages: Readonly<Record<string, URL>> = {},
): Promise<Conditions> {
  const all = {
    shardbench: new URL("../package.json", import.meta.url),
    webgpu: new URL("../node_modules/webgpu/package.json", import.meta.url),
    ...packages,
  };
  const versions = Object.entries(all).map(async ([name, path]) => {
    const { version }: { readonly version: string } = JSON.parse(await readFile(path, "utf8"));
    return [name, version] as const;
  });
  return {
    adapter: choice.id,
    device,
    driver,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
    date: new Date().toISOString(),
    versions: Object.fromEntries(await Promise.all(versions)),
  };
}

export function conditionsText(conditions: Conditions): string {
  const { adapter, device, driver, cpu, cores, node, date, versions } = conditions;
  const parts = [
    `${adapter}: ${device}, ${driver}`,
    `${cores} cores of ${cpu}`,
    `Node ${node}`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
    date,
  ];
  return parts.join("; ");
}

/** @param path of both files, without its ending */
export async function writeResults(
  path: string,
  title: string,
  conditions: Conditions,
  text: string,
  figures: object,
): Promise<void> {
  const record = { bench: title, ...conditions, ...figures };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.json`, `${JSON.stringify(record)}\n`);
  await writeFile(
    `${path}.md`,
    `# ${title} on ${conditions.adapter}\n\n${conditionsText(conditions)}\n\n\`\`\`\n${text}\n\`\`\`\n`,
  );
}
