// pack_attention_gradient: gradients of queries, keys and values as the rank stores them, from sums in f32. Those of keys
// and values are what the rank found itself and what others found.
//
// dq        vec4f [ROWS, QUERY_QUADS]
// own       vec4f [ROWS, KEY_QUADS]   of keys, then values
// arrived   vec4f [ROWS, KEY_QUADS]
// y         Quad [ROWS, QUADS]        of queries, keys and values side by side those from quad FIRST on
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override QUERY_QUADS: u32;
override KEY_QUADS: u32;
override FIRST: u32;
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> dq: array<vec4f>;
@group(0) @binding(1) var<storage, read> own: array<vec4f>;
@group(0) @binding(2) var<storage, read> arrived: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    let row = i / QUADS;
    let quad = FIRST + i % QUADS;
    if (quad < QUERY_QUADS) {
      y[i] = packQuad(dq[row * QUERY_QUADS + quad]);
    } else {
      let at = row * KEY_QUADS + quad - QUERY_QUADS;
      y[i] = packQuad(own[at] + arrived[at]);
    }
  }
}
