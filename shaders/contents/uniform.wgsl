// uniform: the rows of a part of a tensor, as src/program/content_values.ts makes them on the host, bit by bit. Each
// element is a hash of its global index; columns beyond the part's are 0.
//
// part      what is written, see `Part`
// words     u32   of rows with PITCH words; those of other parts are left alone
// dispatch  any number of workgroups in x, which share the words from `first_word` to `end_word`
override WORKGROUP: u32;
// 1: two halves to a word. 0: one f32.
override HALVES: u32;
// Words in a row that an invocation writes.
override RUN: u32;

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

// Of a row's first element in the whole tensor.
fn row_start(p: Part, row: u32) -> u32 {
  let plane = p.depth + row / p.rows;
  return (plane * p.tensor_rows + p.row + row % p.rows) * p.tensor_columns + p.column;
}

fn value_of(index: u32, key: u32, scale: f32) -> f32 {
  let random = mix(mix(index ^ key) + key);
  // 24 bits and a power of two: exact.
  let unit = f32(i32(random >> 8u) - 0x800000) * 0x1p-23;
  return scale * unit;
}

// The bits of the nearest half, ties to even, which `pack2x16float` may or may not give.
fn half_of(value: f32) -> u32 {
  let word = bitcast<u32>(value);
  let sign = (word >> 16u) & 0x8000u;
  let magnitude = word & 0x7fffffffu;
  // In units of 2^-24, where a half is subnormal; ties to even, as f32 rounds a sum with 2^23.
  let units = u32(abs(value) * 16777216.0 + 8388608.0) - 8388608u;
  let rounded = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u) - 0x38000000u) >> 13u;
  let half = select(rounded, units, magnitude < 0x38800000u);
  return sign | select(half, 0x7c00u, magnitude >= 0x477ff000u);
}

fn word_of(start: u32, place: u32, columns: u32, key: u32, scale: f32) -> u32 {
  if (HALVES == 0u) {
    return select(0u, bitcast<u32>(value_of(start + place, key, scale)), place < columns);
  }
  let column = 2u * place;
  let low = select(0u, half_of(value_of(start + column, key, scale)), column < columns);
  let high = select(0u, half_of(value_of(start + column + 1u, key, scale)), column + 1u < columns);
  return low | (high << 16u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(global_invocation_id) invocation: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  // Read once: what is written might be what it is read from, for all that a compiler knows.
  let p = part;
  for (var first = p.first_word + RUN * invocation.x; first < p.end_word; first += RUN * groups.x * WORKGROUP) {
    var row = first / p.width;
    var place = first % p.width;
    var start = row_start(p, row);
    let end = min(first + RUN, p.end_word);
    for (var i = first; i < end; i++) {
      words[row * p.pitch + p.start + place] = word_of(start, place, p.columns, p.key, p.scale);
      place++;
      if (place == p.width) {
        place = 0u;
        row++;
        start = row_start(p, row);
      }
    }
  }
}
