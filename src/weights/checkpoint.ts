// A folder with a model's weights, as Hugging Face publishes them: safetensors files, and an index where there are several.

import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EnvironmentError } from "../environment_error.ts";
import { readInput } from "../read_input.ts";
import type { WeightFile } from "./given_source.ts";
import { quoted, refusedWeights } from "./refused_weights.ts";
import { type FileTensor, headerLength, lengthBytes, parseHeader } from "./safetensors_header.ts";

export interface CheckpointTensor extends FileTensor {
  /** Index into `files`. */
  readonly file: number;
}

export interface Checkpoint {
  readonly folder: string;
  readonly files: readonly WeightFile[];
  /** Of all files, by name. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
}

const indexFile = "model.safetensors.index.json";

const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });

/** @throws EnvironmentError `file-not-readable` or `weights-refused` */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const names = await namesIn(folder);
  const index = names.includes(indexFile)
    ? indexSchema.safeParse(await jsonOf(join(folder, indexFile)))
    : undefined;
  if (index?.success === false)
    throw refusedWeights(join(folder, indexFile), "it has no weight_map");
  const files: WeightFile[] = [];
  const tensors = new Map<string, CheckpointTensor>();
  for (const name of filesOf(folder, names, index?.data.weight_map)) {
    const path = join(folder, name);
    const { bytes, found } = await readHeader(path);
    for (const [tensor, header] of found) {
      const other = tensors.get(tensor);
      if (other !== undefined) {
        const both = `${quoted(tensor)} is in ${quoted(files[other.file]?.path ?? "")}, too`;
        throw refusedWeights(path, both);
      }
      tensors.set(tensor, { ...header, file: files.length });
    }
    files.push({ path, bytes });
  }
  const missing = Object.keys(index?.data.weight_map ?? {}).find((name) => !tensors.has(name));
  if (missing !== undefined) {
    throw refusedWeights(join(folder, indexFile), `${quoted(missing)} is in none of its files`);
  }
  return { folder, files, tensors };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new EnvironmentError(
      "file-not-readable",
      `${folder}: ${cause instanceof Error ? cause.message : String(cause)}`,
      "name the folder that holds the model's *.safetensors files",
    );
  }
}

/** Those of the index, else all of the folder. */
function filesOf(
  folder: string,
  names: readonly string[],
  weightMap: Readonly<Record<string, string>> | undefined,
): string[] {
  const listed = [...new Set(Object.values(weightMap ?? {}))].toSorted();
  for (const name of listed) {
    // Whoever wrote the index does not choose what else of this machine is read.
    if (!/^[\w.-]+\.safetensors$/.test(name) || !names.includes(name)) {
      throw refusedWeights(join(folder, indexFile), `${quoted(name)} is no file of that folder`);
    }
  }
  // Beside it may lie the same weights under other names.
  const whole = names.filter((name) => name === "model.safetensors");
  const all = names.filter((name) => name.endsWith(".safetensors"));
  const files = [listed, whole, all].find(({ length }) => length > 0) ?? [];
  if (files.length === 0) throw refusedWeights(folder, "there is no *.safetensors file");
  return files.toSorted();
}

async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readInput(path)) as unknown;
  } catch (cause) {
    throw refusedWeights(path, cause instanceof Error ? cause.message : String(cause));
  }
}

async function readHeader(
  path: string,
): Promise<{ readonly bytes: number; readonly found: Map<string, FileTensor> }> {
  const { handle, bytes } = await openFile(path);
  const read = async (length: number, position: number): Promise<Uint8Array> => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  try {
    const length = headerLength(path, await read(lengthBytes, 0), bytes);
    return { bytes, found: parseHeader(path, await read(length, lengthBytes), bytes) };
  } finally {
    await handle.close();
  }
}

/** With its size. What is no file, such as a pipe, has none. */
async function openFile(
  path: string,
): Promise<{ readonly handle: FileHandle; readonly bytes: number }> {
  try {
    const kind = await stat(path);
    if (kind.isFile()) return { handle: await open(path, "r"), bytes: kind.size };
  } catch (cause) {
    throw refusedWeights(path, cause instanceof Error ? cause.message : String(cause));
  }
  throw refusedWeights(path, "it is no file");
}
