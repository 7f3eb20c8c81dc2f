// embedding_gradient: row ids[token] − VOCABULARY_START of dtable += SCALE · dy[token], for ids in the shard.
//
// The workgroup of the first token with an id adds all tokens that have it, in their order, so that equal runs give equal
// bits; those of the others add nothing. Lanes look for them together, each among 32 consecutive tokens at a time.
//
// ids       u32 [TOKENS]
// dy        Quad [TOKENS, QUADS]
// dtable    vec4f [VOCABULARY_ROWS, QUADS]   added to
// dispatch  TOKENS workgroups, folded over x and y
override TOKENS: u32;
override HIDDEN: u32;
override VOCABULARY_START: u32;
override VOCABULARY_ROWS: u32;
override SCALE: f32;
override LANES: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> dy: array<Quad>;
@group(0) @binding(2) var<storage, read_write> dtable: array<vec4f>;

// A bit for each token that a lane looked at: whether it has the id.
var<workgroup> same: array<u32, LANES>;

fn addRow(row: u32, token: u32, lane: u32) {
  for (var quad = lane; quad < QUADS; quad += LANES) {
    dtable[row * QUADS + quad] += SCALE * unpackQuad(dy[token * QUADS + quad]);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let token = group.y * groups.x + group.x;
  if (token >= TOKENS) {
    return;
  }
  let id = ids[token];
  // An id below the shard wraps to a large number, so one comparison covers both sides.
  let row = id - VOCABULARY_START;
  if (row >= VOCABULARY_ROWS) {
    return;
  }
  var is_first = true;
  for (var begin = 0u; begin < TOKENS; begin += 32u * LANES) {
    let own = begin + 32u * lane;
    var found = 0u;
    for (var bit = 0u; bit < 32u && own + bit < TOKENS; bit += 1u) {
      found |= select(0u, 1u << bit, ids[own + bit] == id);
    }
    same[lane] = found;
    workgroupBarrier();
    for (var i = 0u; i < LANES && is_first; i += 1u) {
      for (var left = same[i]; left != 0u && is_first; left &= left - 1u) {
        let other = begin + 32u * i + firstTrailingBit(left);
        is_first = other >= token;
        if (is_first) {
          addRow(row, other, lane);
        }
      }
    }
    workgroupBarrier();
  }
}
