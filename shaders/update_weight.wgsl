// update_weight: moves a weight against its gradient, and clears that. Preludes of updates/ say how an optimizer's step
// follows from a gradient, and where the weight is.
//
// state     f32 [8]         see begin_update
// gradient  vec4f [QUADS]   cleared
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads
override QUADS: u32;
override RUN: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> state: array<f32, 8>;
@group(0) @binding(1) var<storage, read_write> gradient: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let begin = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(begin + RUN * WORKGROUP, QUADS);
  // A gradient that is not finite moves nothing.
  let is_finite = state[6] > 0.0;
  for (var i = begin + lane; i < end; i += WORKGROUP) {
    if (is_finite) {
      let before = weightAt(i);
      storeWeight(i, before - state[1] * stepOf(i, before, state[4] * gradient[i]));
    } else {
      storeWeight(i, weightAt(i));
    }
    gradient[i] = vec4f();
  }
}
