// WGSL text of a kernel: its own file, with the definitions of its storage type and others before it.

import type { StorageType } from "../kernels/storage.ts";
import { readShader } from "./shader_file.ts";

export interface ShaderSource {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
  readonly code: string;
  /** The files that it is put together from, in order. */
  readonly parts: readonly SourcePart[];
}

interface SourcePart {
  /** As in `shaders/<name>.wgsl`. */
  readonly name: string;
  /** Lines of the code that come before its first. */
  readonly linesBefore: number;
}

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
  const files = [...preludes, name];
  const texts = await Promise.all(files.map(readLines));
  // Directives must precede every declaration; blanks keep the numbers of the lines they are taken from.
  const lines = [...new Set(texts.flat().filter((line) => directive.test(line)))];
  const parts: SourcePart[] = [];
  for (const [index, text] of texts.entries()) {
    parts.push({ name: files[index] ?? name, linesBefore: lines.length });
    lines.push(...blanked(text));
  }
  return { name, code: lines.join("\n"), parts };
}

function blanked(lines: readonly string[]): string[] {
  return lines.map((line) => (directive.test(line) ? "" : line));
}

async function readLines(name: string): Promise<string[]> {
  return (await readShader(name)).split("\n");
}

/** Puts compiler messages where the author sees them: in the file that the line comes from. */
export function describeMessages(
  { parts }: ShaderSource,
  messages: readonly GPUCompilationMessage[],
): string {
  return messages
    .filter((message) => message.type === "error")
    .map(({ lineNum, linePos, message }) => {
      const part = parts.findLast(({ linesBefore }) => lineNum > linesBefore);
      const line = lineNum - (part?.linesBefore ?? 0);
      return `shaders/${part?.name}.wgsl:${line}:${linePos}: ${message}`;
    })
    .join("\n");
}

/**
 * The shader with bindings that it only reads declared as if it wrote them. WebGPU refuses a dispatch that reads a buffer
 * through one binding and writes it through another, unless both are writable and their ranges do not overlap.
 *
 * @param slots numbers of the bindings
 */
export function declareWritable(source: ShaderSource, slots: readonly number[]): ShaderSource {
  let { code } = source;
  for (const slot of slots) {
    const declared = `@binding(${slot}) var<storage, read>`;
    if (!code.includes(declared)) {
      throw new Error(`shaders/${source.name}.wgsl does not say "${declared}"`);
    }
    code = code.replace(declared, `@binding(${slot}) var<storage, read_write>`);
  }
  return { ...source, code };
}
