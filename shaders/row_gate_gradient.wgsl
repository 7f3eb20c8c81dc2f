// row_gate_gradient: of y = p · sigmoid(gate), where a row has one gate:
//
//   dp = dy · sigmoid(gate)
//   dgate = (1 - sigmoid(gate)) · Σ dy · y,  since p · sigmoid'(gate) = y · (1 - sigmoid(gate))
//
// A workgroup takes four rows.
//
// y         Quad [ROWS, QUADS]   padding 0
// gate      Quad [ROWS]          a logit, then padding
// dy        Quad [ROWS, QUADS]   padding 0
// dp        Quad [ROWS, QUADS]   padding 0
// dgate     Quad [ROWS]          padding 0
// dispatch  ceil(ROWS / 4) workgroups, folded over x and y
override ROWS: u32;
override COLUMNS: u32;
override LANES: u32;
override QUADS: u32 = (COLUMNS + 3u) / 4u;

@group(0) @binding(0) var<storage, read> y: array<Quad>;
@group(0) @binding(1) var<storage, read> gate: array<Quad>;
@group(0) @binding(2) var<storage, read> dy: array<Quad>;
@group(0) @binding(3) var<storage, read_write> dp: array<Quad>;
@group(0) @binding(4) var<storage, read_write> dgate: array<Quad>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows past the end repeat the last.
  let row = (group.y * groups.x + group.x) * 4u;
  let rows = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(ROWS - 1u));
  let base = rows * QUADS;
  let logits = vec4f(
    unpackQuad(gate[rows[0]]).x,
    unpackQuad(gate[rows[1]]).x,
    unpackQuad(gate[rows[2]]).x,
    unpackQuad(gate[rows[3]]).x,
  );
  // As the product has it.
  let shares = 1.0 / (1.0 + exp(min(-logits, vec4f(80.0))));
  var products = vec4f();
  for (var quad = lane; quad < QUADS; quad += LANES) {
    for (var i = 0u; i < 4u; i++) {
      let given = unpackQuad(dy[base[i] + quad]);
      products[i] += dot(given, unpackQuad(y[base[i] + quad]));
      dp[base[i] + quad] = packQuad(given * shares[i]);
    }
  }
  // 1 - sigmoid(gate), which for large gates is not to be found as a difference.
  let rest = 1.0 / (1.0 + exp(min(logits, vec4f(80.0))));
  let slopes = total(products, lane) * rest;
  for (var i = lane; i < 4u; i += LANES) {
    dgate[rows[i]] = packQuad(vec4f(slopes[i], 0.0, 0.0, 0.0));
  }
}
