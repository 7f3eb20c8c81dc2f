// The header of a safetensors file: 8 bytes of length, little-endian, then JSON that names every tensor with its type,
// shape and bytes. What follows are the tensors, without gaps. https://github.com/huggingface/safetensors

import { z } from "zod";
import { bitsOf, type ElementType, isElementType } from "./element_type.ts";
import { quoted, refusedWeights } from "./refused_weights.ts";

export interface FileTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Of its first byte, from the file's begin. */
  readonly offset: number;
  readonly bytes: number;
}

/** What the header's length is written in. */
export const lengthBytes = 8;

/** The format's own limit. */
export const mostHeaderBytes = 100_000_000;

const extent = z.int().nonnegative();

const tensorSchema = z.strictObject({
  dtype: z.custom<ElementType>(isElementType, "no element type of safetensors"),
  shape: z.array(extent).max(16),
  data_offsets: z.tuple([extent, extent]),
});

const metadataSchema = z.record(z.string(), z.string());

/**
 * How long the header is.
 *
 * @param start the file's first 8 bytes
 * @throws EnvironmentError `weights-refused`
 */
export function headerLength(file: string, start: Uint8Array, fileBytes: number): number {
  if (start.length < lengthBytes) {
    throw refusedWeights(file, `it has ${fileBytes} bytes, and a header alone has more`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  const most = Math.min(mostHeaderBytes, fileBytes - lengthBytes);
  if (length < 2n || length > BigInt(most)) {
    throw refusedWeights(file, `its header would have ${length} bytes; at most ${most} are there`);
  }
  return Number(length);
}

/**
 * Every tensor of the file, by name.
 *
 * @param header as many bytes as `headerLength` says
 * @throws EnvironmentError `weights-refused` where tensors overlap, leave gaps, go beyond the file, or where one has
 *   other bytes than its type and shape need
 */
export function parseHeader(
  file: string,
  header: Uint8Array,
  fileBytes: number,
): Map<string, FileTensor> {
  const start = lengthBytes + header.length;
  const tensors = new Map<string, FileTensor>();
  for (const [name, entry] of Object.entries(objectOf(file, header))) {
    if (name === "__metadata__") {
      if (!metadataSchema.safeParse(entry).success) {
        throw refusedWeights(file, "its metadata are no text by text");
      }
      continue;
    }
    tensors.set(name, tensorOf(`${file}, ${quoted(name)}`, entry, start));
  }
  refuseGaps(file, tensors, start, fileBytes);
  return tensors;
}

function objectOf(file: string, header: Uint8Array): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header));
  } catch (cause) {
    throw refusedWeights(file, `its header is no JSON in UTF-8 (${String(cause)})`);
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw refusedWeights(file, "its header is no JSON object");
}

function tensorOf(where: string, entry: unknown, start: number): FileTensor {
  const parsed = tensorSchema.safeParse(entry);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusedWeights(where, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const [begin, end] = offsets;
  const bits = shape.reduce((product, each) => product * each, bitsOf(dtype));
  if (!Number.isSafeInteger(bits)) {
    throw refusedWeights(where, `its shape [${shape.join(", ")}] has more elements than can be`);
  }
  if (end < begin || 8 * (end - begin) !== bits) {
    throw refusedWeights(
      where,
      `[${shape.join(", ")}] in ${dtype} are ${bits / 8} bytes, and it has those from ${begin} to ${end}`,
    );
  }
  return { type: dtype, shape, offset: start + begin, bytes: end - begin };
}

/** Of two tensors of one name, JSON keeps one: the other's bytes are then a gap. */
function refuseGaps(
  file: string,
  tensors: ReadonlyMap<string, FileTensor>,
  start: number,
  fileBytes: number,
): void {
  let next = start;
  const inOrder = [...tensors].toSorted(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  for (const [name, { offset, bytes }] of inOrder) {
    if (offset !== next) {
      const what = offset < next ? "overlaps the tensor before it" : "leaves a gap before it";
      throw refusedWeights(
        `${file}, ${quoted(name)}`,
        `it ${what}, by ${Math.abs(offset - next)} bytes`,
      );
    }
    next += bytes;
  }
  if (next !== fileBytes) {
    throw refusedWeights(file, `its tensors end at byte ${next}, and the file at ${fileBytes}`);
  }
}
