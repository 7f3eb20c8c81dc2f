// sink_gradient: dsinks[h] -= Σ e^(sink − logarithm) · product over all rows: a sink has a share of each query's softmax, but
// no value.
//
// A workgroup takes four heads.
//
// statistics  vec2f [ROWS, HEADS]   logarithm of the sum of exponentials, to base 2; product of result and gradient
// sinks       vec4f [QUADS]
// dsinks      vec4f [QUADS]         added to; padding stays 0
// dispatch    QUADS
override ROWS: u32;
override HEADS: u32;
override LANES: u32;

@group(0) @binding(0) var<storage, read> statistics: array<vec2f>;
@group(0) @binding(1) var<storage, read> sinks: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dsinks: array<vec4f>;

const LOG2_E = 1.4426950408889634;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = 4u * group.x;
  let own = LOG2_E * sinks[group.x];
  var sum = vec4f();
  for (var row = lane; row < ROWS; row += LANES) {
    for (var i = 0u; i < min(4u, HEADS - first); i++) {
      let of_head = statistics[row * HEADS + first + i];
      sum[i] += exp2(own[i] - of_head.x) * of_head.y;
    }
  }
  let all = total(sum, lane);
  if (lane == 0u) {
    dsinks[group.x] -= all;
  }
}
