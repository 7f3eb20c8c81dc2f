// The f16 rate of the vendor's library on the same GPU. A process of its own: it calls native code.

import { fromHalf, toHalf } from "../../src/kernels/half.ts";
import { median } from "../../src/measure/statistics.ts";
import { randomSource } from "../../test/support/tensors.ts";
import { partArguments } from "./arguments.ts";
import { printRecord } from "./records.ts";
import { openVendorLibrary, type VendorLibrary } from "./vendor_library.ts";
import type { VendorRecord } from "./vendor_report.ts";

const sizes = [4096, 8192];
const rounds = 9;
// Longer than the clocks take to rise.
const sampleMs = 50;

const { adapter, isOver } = partArguments();
try {
  if (!/^gpu\d+$/.test(adapter)) throw new Error(`${adapter} is no GPU`);
  const library = openVendorLibrary();
  for (const size of sizes) {
    if (isOver()) break;
    printRecord(measure(library, size));
  }
} catch (thrown) {
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const record: VendorRecord = { kind: "not measured", reason };
  printRecord(record);
}

function measure(library: VendorLibrary, size: number): VendorRecord {
  const [x, w] = [halves(size, 1), halves(size, 2)];
  const bytes = 2 * size * size;
  const [xOnGpu, wOnGpu, y] = [
    library.allocate(bytes),
    library.allocate(bytes),
    library.allocate(bytes),
  ];
  library.write(xOnGpu, new Uint8Array(x.buffer));
  library.write(wOnGpu, new Uint8Array(w.buffer));
  const run = (): void => library.multiply(size, xOnGpu, wOnGpu, y);
  library.time(run);
  const result = new Uint8Array(bytes);
  library.read(result, y);
  const wrong = findWrong(new Uint16Array(result.buffer), x, w, size);
  if (wrong !== undefined) return { kind: "not measured", reason: `${size}³: ${wrong}` };
  const repeats = Math.max(1, Math.ceil(sampleMs / library.time(run)));
  const samples = Array.from({ length: rounds }, () => {
    const ms = library.time(() => {
      for (let index = 0; index < repeats; index += 1) run();
    });
    return ms / repeats;
  });
  return {
    kind: "rate",
    library: library.name,
    size,
    samplesMs: samples,
    repeats,
    flopsPerSecond: (2 * size ** 3 * 1000) / median(samples),
  };
}

/** Uniform in [-1, 1] as in our own cases: what the bits are moves a GPU's clock. */
function halves(size: number, seed: number): Uint16Array<ArrayBuffer> {
  const random = randomSource(seed);
  // A prime length, so that no two rows are alike.
  const block = Uint16Array.from({ length: 1_000_003 }, () => toHalf(2 * random() - 1));
  const all = new Uint16Array(size * size);
  for (let first = 0; first < all.length; first += block.length) {
    all.set(block.subarray(0, all.length - first), first);
  }
  return all;
}

/** A few elements of every part of the result. */
function findWrong(
  y: Uint16Array,
  x: Uint16Array,
  w: Uint16Array,
  size: number,
): string | undefined {
  for (let index = 0; index < 32; index += 1) {
    const [row, column] = [(index * 2_654_435) % size, (index * 40_503 + 7) % size];
    let [sum, magnitude] = [0, 0];
    for (let k = 0; k < size; k += 1) {
      const term = fromHalf(x[row * size + k] ?? 0) * fromHalf(w[k * size + column] ?? 0);
      sum += term;
      magnitude += Math.abs(term);
    }
    const actual = fromHalf(y[row * size + column] ?? 0);
    // Half a unit of the result, and what sums in f32 lose.
    const allowed = 2 ** -11 * Math.abs(sum) + 2 ** -16 * magnitude;
    if (!(Math.abs(actual - sum) <= allowed)) {
      return `y[${row}, ${column}] is ${actual}, expected ${sum}`;
    }
  }
  return undefined;
}
