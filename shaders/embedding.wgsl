// embedding: y[token] = table[ids[token] - VOCABULARY_START], or zeros where another rank holds the id, so
// that the sum over a vocabulary-parallel group is the whole lookup.
//
// ids       u32 [TOKENS]
// table     Quad [VOCABULARY_ROWS, QUADS]   this rank's rows
// y         Quad [TOKENS, QUADS]
// dispatch  one workgroup of LANES invocations per token, folded over x and y
override TOKENS: u32;
override HIDDEN: u32;
override VOCABULARY_START: u32;
override VOCABULARY_ROWS: u32;
override LANES: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

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
  // An id below the shard wraps to a large number, so one comparison covers both sides.
  let row = ids[token] - VOCABULARY_START;
  if (row < VOCABULARY_ROWS) {
    for (var quad = lane; quad < QUADS; quad += LANES) {
      y[token * QUADS + quad] = table[row * QUADS + quad];
    }
  } else {
    for (var quad = lane; quad < QUADS; quad += LANES) {
      y[token * QUADS + quad] = packQuad(vec4f());
    }
  }
}
