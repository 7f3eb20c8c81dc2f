// SwiftShader, unpacked from an npm package: a Vulkan driver with its loader, for machines without either.

import { access, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { EnvironmentError } from "../environment_error.ts";
import { cacheFolders } from "./cache_folder.ts";
import { adapterHint, hasEmbeddedAdapter, noEmbeddedAdapter } from "./embedded_platform.ts";
import { messageOf } from "./message_of.ts";
import { isUnpacked, unpackTo } from "./unpacked.ts";

/** Absolute paths of the unpacked files. */
export interface EmbeddedAdapter {
  readonly loader: string;
  readonly driverManifest: string;
}

const packageName = "@sparticuz/chromium";
const loaderFile = "libvulkan.so.1";
const manifestFile = "vk_swiftshader_icd.json";
const wanted = [loaderFile, manifestFile, "libvk_swiftshader.so"];

/**
 * Unpacks the embedded adapter unless a whole copy is there: into the first folder that takes it.
 *
 * @throws EnvironmentError `no-adapter` that says of each folder why it does not
 */
export async function unpackEmbeddedAdapter(): Promise<EmbeddedAdapter> {
  const archive = await locateArchive();
  const refusals: string[] = [];
  for await (const candidate of cacheFolders()) {
    if ("refusal" in candidate) {
      refusals.push(candidate.refusal);
      continue;
    }
    const folder = join(candidate.folder, `swiftshader-${archive.version}`);
    const refusal = await refusalOf(folder, archive.path);
    if (refusal === undefined) {
      return { loader: join(folder, loaderFile), driverManifest: join(folder, manifestFile) };
    }
    refusals.push(refusal);
  }
  throw new EnvironmentError(
    "no-adapter",
    `no folder to unpack the embedded adapter to: ${refusals.join("; ")}`,
    "set XDG_CACHE_HOME to a folder that you own and can write to, with some 30 MB to spare",
  );
}

/** Why the adapter cannot be loaded from there; undefined where it is there now. */
async function refusalOf(folder: string, archive: string): Promise<string | undefined> {
  if (folder.includes(delimiter)) {
    return `${folder} has a ${delimiter} in its path, which separates the paths of Vulkan drivers`;
  }
  if (await isUnpacked(folder, wanted)) return undefined;
  try {
    await unpackTo(folder, archive, wanted);
  } catch (cause) {
    return `${folder}: ${messageOf(cause)}`;
  }
  return (await isUnpacked(folder, wanted))
    ? undefined
    : `${folder} does not hold what was unpacked to it`;
}

async function locateArchive(): Promise<{ path: string; version: string }> {
  if (!hasEmbeddedAdapter()) {
    throw new EnvironmentError("no-adapter", noEmbeddedAdapter(), adapterHint());
  }
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    const folder = dirname(dirname(dirname(entry)));
    const { version }: { readonly version: string } = JSON.parse(
      await readFile(join(folder, "package.json"), "utf8"),
    );
    const path = join(folder, "bin", "swiftshader.tar.br");
    await access(path);
    return { path, version };
  } catch (cause) {
    throw new EnvironmentError(
      "no-adapter",
      `the embedded SwiftShader adapter is not installed: npm package ${packageName} is missing (${messageOf(cause)})`,
      "install without --omit=optional, or choose another adapter with --adapter",
    );
  }
}
