// embedding_gradient: row ids[token] − VOCABULARY_START of dtable += SCALE · dy[token], for ids in the shard.
//
// The first token with an id adds up all tokens that have it, in their order, so that equal runs give equal bits; the
// workgroups of the others have nothing to do.
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
  for (var before = 0u; before < token; before += 1u) {
    if (ids[before] == id) {
      return;
    }
  }
  for (var quad = lane; quad < QUADS; quad += LANES) {
    var sum = unpackQuad(dy[token * QUADS + quad]);
    for (var other = token + 1u; other < TOKENS; other += 1u) {
      if (ids[other] == id) {
        sum += unpackQuad(dy[other * QUADS + quad]);
      }
    }
    dtable[row * QUADS + quad] += SCALE * sum;
  }
}
