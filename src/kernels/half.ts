// IEEE 754 half precision, for hosts whose JavaScript has no Float16Array.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Bits of the half nearest to `value`, ties to even; beyond 65,504 infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const word = bits[0] ?? 0;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Subnormal: in units of 2^-24, and JavaScript's f64 product is exact.
    const units = Math.abs(value) * 16_777_216;
    const floor = Math.floor(units);
    const rest = units - floor;
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** Value of a half given by its bits. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000;
  const magnitude = half & 0x7fff;
  if (magnitude > 0x7c00) return Number.NaN;
  if (magnitude === 0x7c00) return sign === 0 ? Infinity : -Infinity;
  if (magnitude < 0x400) return (sign === 0 ? magnitude : -magnitude) / 16_777_216;
  bits[0] = (sign << 16) | ((magnitude << 13) + 0x38000000);
  return float[0] ?? 0;
}

export function floatsOfHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length);
  for (let e = 0; e < halves.length; e++) floats[e] = fromHalf(halves[e]!);
  return floats;
}

export function halvesOfFloats(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(floats.length);
  for (let e = 0; e < floats.length; e++) halves[e] = toHalf(floats[e]!);
  return halves;
}
