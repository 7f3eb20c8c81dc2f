// sum_squares: adds Σ x² to the sums; each workgroup takes its own of them, and the next SHARE quads, of which the first
// COUNTED of every PITCH count.
//
// x         vec4f [QUADS]
// sums      f32 [at least workgroups]   added to
// dispatch  ceil(QUADS / SHARE) workgroups
override QUADS: u32;
override COUNTED: u32;
override PITCH: u32;
override SHARE: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = group.x * SHARE;
  let end = min(first + SHARE, QUADS);
  var squares = vec4f();
  for (var i = first + lane; i < end; i += LANES) {
    if (i % PITCH < COUNTED) {
      squares += x[i] * x[i];
    }
  }
  let all = total(squares, lane);
  if (lane == 0u) {
    sums[group.x] += (all.x + all.y) + (all.z + all.w);
  }
}
