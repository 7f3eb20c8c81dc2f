// position_gradient: row FIRST + p of dtable += Σ dy over all tokens at position p of their sequences, in the order of these.
//
// Positions are those of a prelude of positions/.
//
// dy        Quad [BATCH · ROWS, QUADS]
// dtable    vec4f [at least FIRST + SEQUENCE, QUADS]   added to
// dispatch  workgroups folded over x and y, each for the next RUN · WORKGROUP quads of ROWS rows
override BATCH: u32;
override ROWS: u32;  // of each sequence
override HIDDEN: u32;
override FIRST: u32;
override RUN: u32;
override WORKGROUP: u32;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> dy: array<Quad>;
@group(0) @binding(1) var<storage, read_write> dtable: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let size = ROWS * QUADS;
  let first = (group.y * groups.x + group.x) * RUN * WORKGROUP;
  let end = min(first + RUN * WORKGROUP, size);
  for (var i = first + lane; i < end; i += WORKGROUP) {
    var sum = vec4f();
    for (var sequence = 0u; sequence < BATCH; sequence++) {
      sum += unpackQuad(dy[sequence * size + i]);
    }
    dtable[(FIRST + positionOf(i / QUADS)) * QUADS + i % QUADS] += sum;
  }
}
