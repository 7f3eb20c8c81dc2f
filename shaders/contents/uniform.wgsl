// uniform: the rows of a part of a tensor, as src/program/content_values.ts makes them on the host, bit by bit. Each
// element is a hash of its global index; columns beyond the part's are 0.
//
// part      what is written, see `Part`
// words     u32   of rows with PITCH words; those of other parts are left alone
// dispatch  any number of workgroups in x, which share the words from `first_word` to `end_word`
override WORKGROUP: u32;
// 1: two halves to a word. 0: one f32.
override HALVES: u32;

struct Part {
  key: u32,
  scale: f32,
  // Of the whole tensor.
  tensor_rows: u32,
  tensor_columns: u32,
  // Of the part.
  depth: u32,
  row: u32,
  column: u32,
  rows: u32,
  columns: u32,
  // Words of a buffer's row; first word and words of the part's share of it.
  pitch: u32,
  start: u32,
  width: u32,
  // Of the part, row by row.
  first_word: u32,
  end_word: u32,
}

@group(0) @binding(0) var<storage, read> part: Part;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;

// A bijection in which every bit of x moves about half of the result.
fn mix(x: u32) -> u32 {
  let a = (x ^ (x >> 16u)) * 0x7feb352du;
  let b = (a ^ (a >> 15u)) * 0x846ca68bu;
  return b ^ (b >> 16u);
}

fn value_of(row: u32, column: u32) -> f32 {
  let plane = part.depth + row / part.rows;
  let index = (plane * part.tensor_rows + part.row + row % part.rows) * part.tensor_columns + part.column + column;
  let random = mix(mix(index ^ part.key) + part.key);
  // 24 bits and a power of two: exact.
  let unit = f32(i32(random >> 8u) - 0x800000) * 0x1p-23;
  return part.scale * unit;
}

// The bits of the nearest half, ties to even, which `pack2x16float` may or may not give.
fn half_of(value: f32) -> u32 {
  let word = bitcast<u32>(value);
  let sign = (word >> 16u) & 0x8000u;
  let magnitude = word & 0x7fffffffu;
  if (magnitude >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (magnitude < 0x38800000u) {
    // In units of 2^-24.
    let units = abs(value) * 16777216.0;
    let whole = u32(units);
    let rest = units - f32(whole);
    let up = rest > 0.5 || (rest == 0.5 && (whole & 1u) == 1u);
    return sign | (whole + select(0u, 1u, up));
  }
  return sign | ((magnitude + 0xfffu + ((magnitude >> 13u) & 1u) - 0x38000000u) >> 13u);
}

fn word_of(row: u32, place: u32) -> u32 {
  if (HALVES == 0u) {
    return select(0u, bitcast<u32>(value_of(row, place)), place < part.columns);
  }
  let column = 2u * place;
  let low = select(0u, half_of(value_of(row, column)), column < part.columns);
  let high = select(0u, half_of(value_of(row, column + 1u)), column + 1u < part.columns);
  return low | (high << 16u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  for (var i = part.first_word + invocation.x; i < part.end_word; i += groups.x * WORKGROUP) {
    let row = i / part.width;
    let place = i % part.width;
    words[row * part.pitch + part.start + place] = word_of(row, place);
  }
}
