// SwiftShader, unpacked from an npm package: a Vulkan driver with its loader, for machines without either.

import { createReadStream } from "node:fs";
import { access, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";
import { EnvironmentError } from "../environment_error.ts";
import { findCacheFolder, ownUser } from "./cache_folder.ts";
import { adapterHint, hasEmbeddedAdapter, noEmbeddedAdapter } from "./embedded_platform.ts";
import { messageOf } from "./message_of.ts";

/** Absolute paths of the unpacked files. */
export interface EmbeddedAdapter {
  readonly loader: string;
  readonly driverManifest: string;
}

const packageName = "@sparticuz/chromium";
const loaderFile = "libvulkan.so.1";
const manifestFile = "vk_swiftshader_icd.json";
const wanted = [loaderFile, manifestFile, "libvk_swiftshader.so"];

/** Unpacks the embedded adapter unless that has been done before. Safe from many processes at once. */
export async function unpackEmbeddedAdapter(): Promise<EmbeddedAdapter> {
  const archive = await locateArchive();
  const target = join(await cacheFolder(), `swiftshader-${archive.version}`);
  if (!(await isComplete(target))) await unpack(archive.path, target);
  return { loader: join(target, loaderFile), driverManifest: join(target, manifestFile) };
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

async function cacheFolder(): Promise<string> {
  const found = await findCacheFolder();
  if ("folder" in found) return found.folder;
  throw new EnvironmentError(
    "no-adapter",
    `no folder to unpack the embedded adapter to: ${found.refusals.join("; ")}`,
    "set XDG_CACHE_HOME to a folder that you own and can write to",
  );
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    for (const file of wanted) await access(join(folder, file));
    return true;
  } catch {
    return false;
  }
}

async function unpack(archive: string, target: string): Promise<void> {
  const scratch = `${target}.${process.pid}.partial`;
  await rm(scratch, { recursive: true, force: true });
  await pipeline(
    createReadStream(archive),
    createBrotliDecompress(),
    extract(scratch, {
      ignore: (name) => name !== scratch && !wanted.includes(basename(name)),
      // The archive's owner is its builder, whose number may be somebody here.
      map: (header) => ({ ...header, uid: ownUser(), gid: process.getgid?.() ?? 0 }),
    }),
  );
  try {
    await rename(scratch, target);
  } catch (cause) {
    // Another process was first; its copy is the same.
    await rm(scratch, { recursive: true, force: true });
    if (!(await isComplete(target))) throw cause;
  }
}
