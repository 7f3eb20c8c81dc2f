// pack_keys_values: of each row keys of all heads, then values of all heads, side by side.
//
// k         Quad [ROWS, K_QUADS]   keys from quad K_FIRST on
// v         Quad [ROWS, V_QUADS]   values of head h from quad V_FIRST + h · V_STEP on
// kv        Quad [ROWS, QUADS]
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of kv
override ROWS: u32;
override KEY_QUADS: u32;    // of all heads
override VALUE_QUADS: u32;  // of one head
override KV_HEADS: u32;
override K_QUADS: u32;
override K_FIRST: u32;
override V_QUADS: u32;
override V_FIRST: u32;
override V_STEP: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = KEY_QUADS + KV_HEADS * VALUE_QUADS;

@group(0) @binding(0) var<storage, read> k: array<Quad>;
@group(0) @binding(1) var<storage, read> v: array<Quad>;
@group(0) @binding(2) var<storage, read_write> kv: array<Quad>;

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
    let quad = i % QUADS;
    if (quad < KEY_QUADS) {
      kv[i] = k[row * K_QUADS + K_FIRST + quad];
    } else {
      let value = quad - KEY_QUADS;
      let place = V_FIRST + value / VALUE_QUADS * V_STEP + value % VALUE_QUADS;
      kv[i] = v[row * V_QUADS + place];
    }
  }
}
