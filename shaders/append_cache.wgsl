// append_cache: keys and values of new tokens into the caches, each at its token's place in a page of its request;
// all else in the caches stays.
//
// qkv       Quad [BATCH · QUERIES, (HEADS + 2 · KV_HEADS) · HEAD_QUADS]   queries, then keys, then values
// spans     vec2u [BATCH]   tokens cached before, and new ones: 0 … QUERIES; rows past these are padding
// pages     u32 [BATCH, PAGES]   a request's tokens lie in these, PAGE_TOKENS in each
// k, v      CacheQuad [pages · PAGE_TOKENS, KV_HEADS · HEAD_QUADS]
// dispatch  one invocation per quad of a row's keys, WORKGROUP to a workgroup, workgroups folded over x and y
override BATCH: u32;
override QUERIES: u32;
override PAGE_TOKENS: u32;
override PAGES: u32;
override HEADS: u32;
override KV_HEADS: u32;
override HEAD_DIM: u32;
override WORKGROUP: u32;
override HEAD_QUADS: u32 = HEAD_DIM / 4u;
override KEY_QUADS: u32 = KV_HEADS * HEAD_QUADS;
override ROW_QUADS: u32 = (HEADS + 2u * KV_HEADS) * HEAD_QUADS;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(1) var<storage, read> spans: array<vec2u>;
@group(0) @binding(2) var<storage, read> pages: array<u32>;
@group(0) @binding(3) var<storage, read_write> k: array<CacheQuad>;
@group(0) @binding(4) var<storage, read_write> v: array<CacheQuad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let row = i / KEY_QUADS;
  let quad = i % KEY_QUADS;
  if (row >= BATCH * QUERIES) {
    return;
  }
  let request = row / QUERIES;
  let span = spans[request];
  if (row % QUERIES >= span.y) {
    return;
  }
  let token = span.x + row % QUERIES;
  let page = pages[request * PAGES + token / PAGE_TOKENS];
  let to = (page * PAGE_TOKENS + token % PAGE_TOKENS) * KEY_QUADS + quad;
  let key = row * ROW_QUADS + HEADS * HEAD_QUADS + quad;
  k[to] = packCache(unpackQuad(qkv[key]));
  v[to] = packCache(unpackQuad(qkv[key + KEY_QUADS]));
}
