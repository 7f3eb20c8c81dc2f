// attention_values: the values of all keys, each multiplied by the weight that a query gives it, summed for every head of
// every sequence.
//
// A workgroup takes 32 queries of one head; a lane makes quads of 4 queries at a time.
//
// v         Quad [BATCH · SEQUENCE, V_QUADS], see attention/values_apart.wgsl
// weights   f32 [BATCH, HEADS, SEQUENCE, 4 · SCORE_QUADS]   0 where a query does not see a key, and in padding
// y         Quad [BATCH · SEQUENCE, HEADS · VALUE_QUADS]
// dispatch  ceil(SEQUENCE / 32), HEADS, BATCH
override LANES: u32;

@group(0) @binding(1) var<storage, read_write> y: array<Quad>;
@group(0) @binding(3) var<storage, read> weights: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let sequence = group.z;
  let v_quad = firstValueQuad(head / (HEADS / KV_HEADS));
  let pitch = (SEQUENCE + 3u) / 4u;
  let first_row = (sequence * HEADS + head) * SEQUENCE;
  let last = SEQUENCE - 1u;
  for (var cell = lane; cell < 8u * VALUE_QUADS; cell += LANES) {
    let query = group.x * 32u + cell / VALUE_QUADS * 4u;
    let quad = cell % VALUE_QUADS;
    let rows = (first_row + min(vec4u(query) + vec4u(0u, 1u, 2u, 3u), vec4u(last))) * pitch;
    var sums = mat4x4f();
    for (var at = 0u; at < pitch; at++) {
      let key = at * 4u;
      let v = mat4x4f(
        valueQuad(sequence * SEQUENCE + key, v_quad + quad),
        valueQuad(sequence * SEQUENCE + min(key + 1u, last), v_quad + quad),
        valueQuad(sequence * SEQUENCE + min(key + 2u, last), v_quad + quad),
        valueQuad(sequence * SEQUENCE + min(key + 3u, last), v_quad + quad),
      );
      for (var i = 0u; i < 4u; i++) {
        sums[i] += v * weights[rows[i] + at];
      }
    }
    for (var i = 0u; i < 4u && query + i < SEQUENCE; i++) {
      y[((sequence * SEQUENCE + query + i) * HEADS + head) * VALUE_QUADS + quad] = packQuad(sums[i]);
    }
  }
}
