// causal_conv: y = activate(what the last TAPS tokens of each column add up to), column by column.
//
// A token sees those before it in its own sequence of SEQUENCE rows; before the first there are zeros.
//
// x         Quad [ROWS, QUADS]   padding 0
// w         Quad [TAPS, QUADS]   the last is a token's own; padding 0
// y         Quad [ROWS, QUADS]   padding 0: the activation of 0 is 0
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of y
override ROWS: u32;
override COLUMNS: u32;
override TAPS: u32;
override SEQUENCE: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> w: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, ROWS * QUADS);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    let seen = min(i / QUADS % SEQUENCE + 1u, TAPS);
    var sum = vec4f();
    for (var back = 0u; back < seen; back++) {
      let by = unpackQuad(w[(TAPS - 1u - back) * QUADS + i % QUADS]);
      sum = fma(by, unpackQuad(x[i - back * QUADS]), sum);
    }
    y[i] = packQuad(activate(sum));
  }
}
