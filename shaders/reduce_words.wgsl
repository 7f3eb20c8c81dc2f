// reduce_words: y[first + e] = x[0, e] + x[1, e] + …, in f32 and in piece order, for pieces that need not
// begin or end with a quad or a word. What shares a word with the result is kept.
//
// One piece is copied bit by bit. Slower than reduce_sum, for the few elements that it cannot take.
//
// x         u32 [8 + …]      its first words say where everything is, see below; then pieces
// y         u32 [WORDS of y] a part of it is overwritten
// dispatch  one invocation per word of y that is written, at most; WORKGROUP to a workgroup, workgroups
//           folded over x and y
override HALVES: bool;  // elements are f16, two to a word, low half first
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

const PIECES = 0;
const ELEMENTS = 1;
const BEGIN = 2;   // word of x at which the pieces begin
const PITCH = 3;   // words from one piece to the next
const SKIP = 4;    // elements of a piece's first word that come before it
const FIRST = 5;   // element of y that the result begins with

fn half(word: u32, high: bool) -> u32 {
  return select(word & 0xffffu, word >> 16u, high);
}

fn element(piece: u32, e: u32) -> u32 {
  let at = x[SKIP] + e;
  let base = x[BEGIN] + piece * x[PITCH];
  if (HALVES) {
    return half(x[base + at / 2u], (at & 1u) == 1u);
  }
  return x[base + at];
}

fn value(bits: u32) -> f32 {
  if (HALVES) {
    return unpack2x16float(bits).x;
  }
  return bitcast<f32>(bits);
}

fn bits(value: f32) -> u32 {
  if (HALVES) {
    return pack2x16float(vec2f(value, 0.0));
  }
  return bitcast<u32>(value);
}

fn total(e: u32) -> u32 {
  if (x[PIECES] == 1u) {
    return element(0u, e);
  }
  var sum = value(element(0u, e));
  for (var piece = 1u; piece < x[PIECES]; piece++) {
    sum += value(element(piece, e));
  }
  return bits(sum);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (!HALVES) {
    if (i < x[ELEMENTS]) {
      y[x[FIRST] + i] = total(i);
    }
    return;
  }
  let word = x[FIRST] / 2u + i;
  let low = 2u * word;
  let end = x[FIRST] + x[ELEMENTS];
  if (low >= end) {
    return;
  }
  let old = y[word];
  var halves = vec2u(half(old, false), half(old, true));
  if (low >= x[FIRST]) {
    halves.x = total(low - x[FIRST]);
  }
  if (low + 1u < end) {
    halves.y = total(low + 1u - x[FIRST]);
  }
  y[word] = halves.x | (halves.y << 16u);
}
