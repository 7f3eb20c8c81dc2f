// gated_delta: linear attention by the gated delta rule, token by token.
//
// Each value head has a state [KEY_DIM, VALUE_DIM], zeros before a sequence. At each token it decays; what it holds for
// the token's key is moved towards the token's value; the result is what it then holds for the query. An invocation has
// four columns of a state, and walks through the whole sequence.
//
// x         Quad [BATCH · SEQUENCE, X_QUADS]        of a token queries, keys, values
// update    Quad [BATCH · SEQUENCE, HEAD_ROW]       of each value head, logits
// step      Quad [BATCH · SEQUENCE, HEAD_ROW]       of each value head, what it decays by
// rates     f32 [VALUE_HEADS]                       logarithms
// y         Quad [BATCH · SEQUENCE, VALUE_HEADS · VALUE_QUADS]
// dispatch  ceil(BATCH · VALUE_HEADS · VALUE_QUADS / WORKGROUP) workgroups, folded over x and y
override BATCH: u32;
override SEQUENCE: u32;
override KEY_HEADS: u32;
override VALUE_HEADS: u32;
override KEY_DIM: u32;
override VALUE_DIM: u32;
override WORKGROUP: u32;
override KEY_QUADS: u32 = KEY_DIM / 4u;
override VALUE_QUADS: u32 = VALUE_DIM / 4u;
override X_QUADS: u32 = 2u * KEY_HEADS * KEY_QUADS + VALUE_HEADS * VALUE_QUADS;
override HEAD_ROW: u32 = (VALUE_HEADS + 3u) / 4u;
override STATE_ROWS: u32 = KEY_DIM * WORKGROUP;

// Of what the length of queries and keys is taken from.
const epsilon = 1e-6;

@group(0) @binding(0) var<storage, read> x: array<Quad>;
@group(0) @binding(1) var<storage, read> update: array<Quad>;
@group(0) @binding(2) var<storage, read> step: array<Quad>;
@group(0) @binding(3) var<storage, read> rates: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<Quad>;

// Row i of an invocation's columns lies at i · WORKGROUP + its lane; nobody else's are touched.
var<workgroup> states: array<vec4f, STATE_ROWS>;

fn softplus(v: f32) -> f32 {
  return max(v, 0.0) + log(1.0 + exp(-abs(v)));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (at >= BATCH * VALUE_HEADS * VALUE_QUADS) {
    return;
  }
  let quad = at % VALUE_QUADS;
  let head = at / VALUE_QUADS % VALUE_HEADS;
  let sequence = at / VALUE_QUADS / VALUE_HEADS;
  let key_head = head * KEY_HEADS / VALUE_HEADS;
  let rate = exp(rates[head]);
  for (var i = 0u; i < KEY_DIM; i++) {
    states[i * WORKGROUP + lane] = vec4f();
  }
  for (var token = 0u; token < SEQUENCE; token++) {
    let row = sequence * SEQUENCE + token;
    let queries = row * X_QUADS + key_head * KEY_QUADS;
    let keys = queries + KEY_HEADS * KEY_QUADS;
    let head_quad = row * HEAD_ROW + head / 4u;
    let decay = exp(-rate * softplus(unpackQuad(step[head_quad])[head % 4u]));
    var squares = vec2f();
    var held = vec4f();
    for (var i = 0u; i < KEY_QUADS; i++) {
      let q = unpackQuad(x[queries + i]);
      let k = unpackQuad(x[keys + i]);
      squares += vec2f(dot(q, q), dot(k, k));
      for (var j = 0u; j < 4u; j++) {
        held = fma(vec4f(k[j]), states[(4u * i + j) * WORKGROUP + lane], held);
      }
    }
    let lengths = inverseSqrt(squares + epsilon);
    let value = unpackQuad(
      x[row * X_QUADS + 2u * KEY_HEADS * KEY_QUADS + head * VALUE_QUADS + quad],
    );
    let share = 1.0 / (1.0 + exp(min(-unpackQuad(update[head_quad])[head % 4u], 80.0)));
    let change = share * (value - decay * lengths.y * held) * lengths.y;
    var result = vec4f();
    for (var i = 0u; i < KEY_QUADS; i++) {
      let q = unpackQuad(x[queries + i]);
      let k = unpackQuad(x[keys + i]);
      for (var j = 0u; j < 4u; j++) {
        let place = (4u * i + j) * WORKGROUP + lane;
        let now = fma(vec4f(k[j]), change, decay * states[place]);
        states[place] = now;
        result = fma(vec4f(q[j]), now, result);
      }
    }
    let scale = lengths.x * inverseSqrt(f32(KEY_DIM));
    y[row * VALUE_HEADS * VALUE_QUADS + head * VALUE_QUADS + quad] = packQuad(scale * result);
  }
}
