// combine_attention: y = softmax(scores) · v over a whole cache, from what attend_cache found in pieces of 64
// keys: each piece is scaled from its own largest score to the largest of all. Pieces in which a query sees no key are
// not read; which these are, says attention/keys_seen.wgsl. A prelude of attention/ gives what a head's sink adds.
//
// partials  vec4f [BATCH · QUERIES · HEADS, PIECES, VALUE_QUADS + 1]   sums, then (largest, total, 0, 0)
// spans     vec2u [BATCH]   tokens cached before, and new ones
// y         Quad [BATCH · QUERIES, HEADS · VALUE_QUADS]   0 where there is no new token
// dispatch  one invocation per quad of y, WORKGROUP to a workgroup, workgroups folded over x and y
override BATCH: u32;
override QUERIES: u32;
override PIECES: u32;
override HEADS: u32;
override VALUE_DIM: u32;
override WORKGROUP: u32;
override VALUE_QUADS: u32 = VALUE_DIM / 4u;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read> spans: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

const KEYS = 64u;  // of a piece

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= BATCH * QUERIES * HEADS * VALUE_QUADS) {
    return;
  }
  let place = i / VALUE_QUADS;
  let quad = i % VALUE_QUADS;
  let row = place / HEADS;
  let span = spans[row / QUERIES];
  if (row % QUERIES >= span.y) {
    y[i] = packQuad(vec4f());
    return;
  }
  let query = span.x + row % QUERIES;
  let pieces = query / KEYS + 1u;
  var largest = firstLargest(place % HEADS);
  var total = firstTotal();
  var sum = vec4f();
  for (var piece = firstKey(query) / KEYS; piece < pieces; piece++) {
    let first = (place * PIECES + piece) * (VALUE_QUADS + 1u);
    let found = partials[first + VALUE_QUADS];
    let now = max(largest, found.x);
    let scale = exp2(found.x - now);
    let before = exp2(largest - now);
    total = fma(total, before, found.y * scale);
    sum = fma(sum, vec4f(before), partials[first + quad] * scale);
    largest = now;
  }
  y[i] = packQuad(sum / total);
}
