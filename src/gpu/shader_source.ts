// WGSL text of a kernel: its own file, with the definitions of its storage type and others before it.

import { readFile } from "node:fs/promises";
import type { StorageType } from "../kernels/storage.ts";

export interface ShaderSource {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
  readonly code: string;
  /** Lines of `code` that come before the first line of the shader's own file. */
  readonly linesBefore: number;
}

// Resolves to the same folder from src/gpu and from dist/gpu.
const folder = new URL("../../shaders/", import.meta.url);

const directive = /^\s*(enable|requires|diagnostic)\b[^;]*;/;

/** Which storage prelude a device needs. */
export function storagePrelude(dtype: StorageType, features: ReadonlySet<string>): string {
  if (dtype === "f32") return "storage/f32";
  return features.has("shader-f16") ? "storage/f16_native" : "storage/f16_packed";
}

/** Reads `shaders/<name>.wgsl`, and `shaders/<prelude>.wgsl` of each prelude to stand before it. */
export async function loadShader(
  name: string,
  ...preludes: readonly string[]
): Promise<ShaderSource> {
  const own = await readLines(name);
  const before = (await Promise.all(preludes.map(readLines))).flat();
  // Directives must precede every declaration; blanks keep the numbers of the lines they are taken from.
  const directives = [...new Set([...before, ...own].filter((line) => directive.test(line)))];
  const head = [...directives, ...blanked(before)];
  return { name, code: [...head, ...blanked(own)].join("\n"), linesBefore: head.length };
}

const blanked = (lines: readonly string[]): string[] =>
  lines.map((line) => (directive.test(line) ? "" : line));

async function readLines(name: string): Promise<string[]> {
  return (await readFile(new URL(`${name}.wgsl`, folder), "utf8")).split("\n");
}

/** Puts compiler messages where the author sees them: in the shader's own file. */
export function describeMessages(
  source: ShaderSource,
  messages: readonly GPUCompilationMessage[],
): string {
  return messages
    .filter((message) => message.type === "error")
    .map(({ lineNum, linePos, message }) => {
      const line = lineNum - source.linesBefore;
      const place =
        line > 0 ? `shaders/${source.name}.wgsl:${line}:${linePos}` : `prelude of ${source.name}`;
      return `${place}: ${message}`;
    })
    .join("\n");
}
