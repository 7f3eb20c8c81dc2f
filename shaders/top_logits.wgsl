// top_logits: of each row the COUNT largest logits and their ids, the largest first, ties to the lower id.
//
// A workgroup takes a row, and passes over it once for each that it finds: the next is the largest of those behind the one
// before.
//
// logits      Quad [ROWS, QUADS]   of which the first CONSIDERED columns count
// candidates  vec2u [ROWS, COUNT]   bits of an f32, id; NO_TOKEN where there are no more
// dispatch    ROWS workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override CONSIDERED: u32;
override FIRST_ID: u32;
override COUNT: u32;
override LANES: u32;  // a power of two
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> logits: array<Quad>;
@group(0) @binding(1) var<storage, read_write> candidates: array<vec2u>;

const LOWEST = -0x1.fffffep+127f;
const NO_TOKEN = 0xffffffffu;

struct Candidate {
  value: f32,
  column: u32,
}

var<workgroup> best: array<Candidate, LANES>;

// Whether a comes before b; what is no number comes before nothing.
fn isBefore(a: Candidate, b: Candidate) -> bool {
  if (a.column == NO_TOKEN) {
    return false;
  }
  if (b.column == NO_TOKEN) {
    return a.value >= LOWEST;
  }
  return a.value > b.value || (a.value == b.value && a.column < b.column);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= ROWS) {
    return;
  }
  var found = Candidate(LOWEST, NO_TOKEN);
  for (var i = 0u; i < COUNT; i++) {
    var own = Candidate(LOWEST, NO_TOKEN);
    for (var quad = lane; quad < QUADS; quad += LANES) {
      let values = unpackQuad(logits[row * QUADS + quad]);
      for (var j = 0u; j < 4u; j++) {
        let next = Candidate(values[j], quad * 4u + j);
        if (next.column < CONSIDERED && (i == 0u || isBefore(found, next)) && isBefore(next, own)) {
          own = next;
        }
      }
    }
    best[lane] = own;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half && isBefore(best[lane + half], best[lane])) {
        best[lane] = best[lane + half];
      }
    }
    found = workgroupUniformLoad(&best[0]);
    if (lane == 0u) {
      var id = NO_TOKEN;
      if (found.column != NO_TOKEN) {
        id = FIRST_ID + found.column;
      }
      candidates[row * COUNT + i] = vec2u(bitcast<u32>(found.value), id);
    }
    workgroupBarrier();
  }
}
