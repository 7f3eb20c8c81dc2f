// Reading and writing safetensors: what was written is read, and what is no safetensors file is refused with a reason.

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { elementsIn, type ReadableType } from "../../src/weights/element_type.ts";
import { headerLength, parseHeader } from "../../src/weights/safetensors_header.ts";
import { writeSafetensors } from "../../src/weights/write_safetensors.ts";

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "shardbench-weights-"));
}

function textOf(header: unknown): Uint8Array {
  return new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
}

/** Parses a header with `data` bytes behind it. */
function parse(header: unknown, data: number) {
  const text = textOf(header);
  return parseHeader("a.safetensors", text, 8 + text.length + data);
}

function one(dtype: string, shape: unknown, offsets: unknown) {
  return {
    w: { dtype, shape, data_offsets: offsets },
  };
}

describe("a header", () => {
  test("control: tensors without gaps, a scalar and an empty one among them, are taken", () => {
    const header = {
      __metadata__: { format: "pt" },
      b: { dtype: "BF16", shape: [2, 3], data_offsets: [4, 16] },
      a: { dtype: "F32", shape: [], data_offsets: [0, 4] },
      none: { dtype: "F64", shape: [0, 5], data_offsets: [16, 16] },
    };
    const found = parse(header, 16);
    const start = 8 + textOf(header).length;
    expect([...found.keys()]).toEqual(["b", "a", "none"]);
    expect(found.get("b")).toEqual({ type: "BF16", shape: [2, 3], offset: start + 4, bytes: 12 });
  });

  test.each<[string, unknown, number, RegExp]>([
    ["no JSON", "{", 0, /no JSON/],
    ["a list", "[]", 0, /no JSON object/],
    ["an unknown type", one("F33", [1], [0, 4]), 4, /dtype: no element type/],
    ["a shape that is no list", one("F32", 4, [0, 4]), 4, /shape/],
    ["a negative extent", one("F32", [-1], [0, 4]), 4, /shape/],
    ["half an element", one("F32", [1.5], [0, 6]), 6, /shape/],
    ["offsets from the end", one("F32", [1], [4, 0]), 4, /are 4 bytes/],
    ["one offset", one("F32", [1], [0]), 4, /data_offsets/],
    ["too few bytes for the shape", one("F32", [2], [0, 4]), 4, /\[2\] in F32 are 8 bytes.*0 to 4/],
    ["too many bytes for the shape", one("F16", [1], [0, 4]), 4, /are 2 bytes/],
    ["a shape beyond all numbers", one("F32", [2 ** 31, 2 ** 31], [0, 4]), 4, /more elements/],
    ["half a byte", one("F4", [1], [0, 1]), 1, /are 0.5 bytes/],
    ["a key too many", { w: { ...one("F32", [1], [0, 4]).w, more: 1 } }, 4, /more/],
    ["a tensor beyond the file", one("F32", [2], [0, 8]), 4, /end at byte/],
    ["bytes behind the last tensor", one("F32", [1], [0, 4]), 8, /end at byte/],
    ["a gap", { ...one("F32", [1], [4, 8]) }, 8, /gap before it, by 4 bytes/],
    [
      "an overlap",
      { ...one("F32", [2], [0, 8]), v: { dtype: "F32", shape: [2], data_offsets: [4, 12] } },
      12,
      /overlaps.*by 4 bytes/,
    ],
    [
      "a name twice",
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
      /gap/,
    ],
    ["metadata that are no text", { __metadata__: { a: 1 } }, 0, /metadata/],
  ])("%s is refused", (_, header, data, message) => {
    expect(() => parse(header, data)).toThrow(message);
    expect(() => parse(header, data)).toThrow(expect.objectContaining({ code: "weights-refused" }));
  });

  test("a name that a prototype has is a name like any other", () => {
    const found = parse('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
    expect(found.get("__proto__")?.bytes).toBe(4);
  });

  test("text that is no UTF-8 is refused", () => {
    expect(() => parseHeader("a", Uint8Array.of(0x7b, 0xff, 0x7d), 11)).toThrow(/UTF-8/);
  });

  const length = (value: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(value).buffer);

  test.each<[string, Uint8Array, number, RegExp]>([
    ["a file of 7 bytes", new Uint8Array(7), 7, /has 7 bytes/],
    ["an empty header", length(0n), 100, /0 bytes/],
    ["a header beyond the file", length(93n), 100, /93 bytes; at most 92/],
    ["a header of more than 100 MB", length(100_000_001n), 2 ** 40, /at most 100000000/],
    ["a length that wraps around", length(2n ** 64n - 1n), 2 ** 40, /18446744073709551615/],
  ])("%s is refused", (_, start, bytes, message) => {
    expect(() => headerLength("a", start, bytes)).toThrow(message);
  });

  test("control: one that ends with the file", () => {
    expect(headerLength("a", length(92n), 100)).toBe(92);
  });
});

describe("a file that is written", () => {
  const values = Float32Array.of(
    0,
    -0,
    1,
    -1.5,
    3.140625,
    65_504,
    2 ** -24,
    1 + 3 / 256,
    -Infinity,
  );

  test.each<[ReadableType, number[]]>([
    ["F32", [...values]],
    ["F16", [0, -0, 1, -1.5, 3.140625, 65_504, 2 ** -24, 1 + 3 / 256, -Infinity]],
    ["BF16", [0, -0, 1, -1.5, 3.140625, 65_536, 2 ** -24, 1 + 4 / 256, -Infinity]],
  ])("in %s is read as it is", async (type, expected) => {
    const path = join(await folder(), "model.safetensors");
    await writeSafetensors(path, [
      { name: "first", shape: [1], values: Float32Array.of(7) },
      { name: "w", shape: [3, 3], values, type },
    ]);
    const bytes = await readFile(path);
    const header = headerLength(path, bytes.subarray(0, 8), bytes.length);
    const tensor = parseHeader(path, bytes.subarray(8, 8 + header), bytes.length).get("w");
    const read = (shift: number): number[] => {
      const memory = new Uint8Array(bytes.length + shift);
      memory.set(bytes, shift);
      const { offset = 0 } = tensor ?? {};
      const { words, values: decoded } = elementsIn(memory.buffer, offset + shift, 9, type);
      return Array.from(words, (word) => decoded?.[word] ?? word);
    };
    expect(read(0)).toEqual(expected);
    // A header of any length may be before them.
    expect(read(1)).toEqual(expected);
  });

  test("with other values than its shape says is none", async () => {
    const path = join(await folder(), "a.safetensors");
    const wrong = [{ name: "w", shape: [2], values: Float32Array.of(1) }];
    await expect(writeSafetensors(path, wrong)).rejects.toThrow(/1 values, and \[2\] are 2/);
  });
});

describe("a folder", () => {
  const tensor = (name: string) => ({ name, shape: [1], values: Float32Array.of(1) });
  const twoFiles = async (weightMap: unknown): Promise<string> => {
    const path = await folder();
    await writeSafetensors(join(path, "a.safetensors"), [tensor("x")]);
    await writeSafetensors(join(path, "b.safetensors"), [tensor("y")]);
    const index = JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap });
    await writeFile(join(path, "model.safetensors.index.json"), index);
    return path;
  };

  test("control: the files of its index are one set of tensors", async () => {
    const path = await twoFiles({ x: "a.safetensors", y: "b.safetensors" });
    const { tensors, files } = await openCheckpoint(path);
    expect([...tensors].map(([name, { file }]) => [name, files[file]?.path])).toEqual([
      ["x", join(path, "a.safetensors")],
      ["y", join(path, "b.safetensors")],
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ["a file elsewhere", { x: "../a.safetensors" }, /"\.\.\/a\.safetensors" is no file of that/],
    ["a file by its whole path", { x: "/etc/a.safetensors" }, /no file of that folder/],
    ["a file of another kind", { x: "config.json" }, /no file of that folder/],
    ["a file that is not there", { x: "c.safetensors" }, /"c.safetensors" is no file/],
    ["a tensor that is in none", { x: "a.safetensors", z: "b.safetensors" }, /"z" is in none/],
    ["no text", { x: 1 }, /no weight_map/],
  ])("whose index names %s is refused", async (_, weightMap, message) => {
    await expect(openCheckpoint(await twoFiles(weightMap))).rejects.toThrow(message);
  });

  test("with a tensor twice is refused", async () => {
    const path = await folder();
    await writeSafetensors(join(path, "a.safetensors"), [tensor("x")]);
    await writeSafetensors(join(path, "b.safetensors"), [tensor("x")]);
    await expect(openCheckpoint(path)).rejects.toThrow(/"x" is in .*a\.safetensors", too/);
  });

  test.each<[string, (path: string) => unknown, RegExp]>([
    ["a pipe", (path) => execFileSync("mkfifo", [path]), /it is no file/],
    ["a folder", (path) => mkdir(path), /it is no file/],
    ["a link to nothing", (path) => symlink("/nowhere/at/all", path), /ENOENT/],
    ["an empty file", (path) => writeFile(path, ""), /it has 0 bytes/],
    ["its length alone", (path) => writeFile(path, Buffer.alloc(8, 9)), /its header would have/],
  ])("with %s in place of a file is refused at once", async (_, make, message) => {
    const path = await folder();
    await writeSafetensors(join(path, "a.safetensors"), [tensor("x")]);
    await make(join(path, "b.safetensors"));
    await expect(openCheckpoint(path)).rejects.toThrow(message);
    await expect(openCheckpoint(path)).rejects.toThrow(
      expect.objectContaining({ code: "weights-refused" }),
    );
  });

  test("without weights is refused, and so is one that is not there", async () => {
    await expect(openCheckpoint(await folder())).rejects.toThrow(/no \*\.safetensors file/);
    await expect(openCheckpoint("/nowhere/at/all")).rejects.toThrow(
      expect.objectContaining({ code: "file-not-readable" }),
    );
  });
});
