// append_cache: what a cache holds of new tokens, each at its token's place in a page of its request; all else in the
// cache stays. The first quads of a row come from one tensor, such as keys of all heads, the rest from another or the
// same, such as a value of each head.
//
// left      Quad [BATCH · QUERIES, LEFT_PITCH]    LEFT_QUADS from LEFT_FIRST on
// right     Quad [BATCH · QUERIES, RIGHT_PITCH]   of head h RIGHT_DIM from RIGHT_FIRST + h · RIGHT_STEP on
// spans     vec2u [BATCH]   tokens cached before, and new ones: 0 … QUERIES; rows past these are padding
// pages     u32 [BATCH, PAGES]   a request's tokens lie in these, PAGE_TOKENS in each
// cache     CacheQuad [pages · PAGE_TOKENS, CACHE_QUADS]
// dispatch  one invocation per quad of a row, WORKGROUP to a workgroup, workgroups folded over x and y
override BATCH: u32;
override QUERIES: u32;
override PAGE_TOKENS: u32;
override PAGES: u32;
override CACHE_QUADS: u32;
override LEFT_PITCH: u32;
override LEFT_FIRST: u32;
override LEFT_QUADS: u32;
override RIGHT_PITCH: u32;
override RIGHT_FIRST: u32;
override RIGHT_STEP: u32;
override RIGHT_DIM: u32;
override WORKGROUP: u32;

@group(0) @binding(0) var<storage, read> left: array<Quad>;
@group(0) @binding(1) var<storage, read> right: array<Quad>;
@group(0) @binding(2) var<storage, read> spans: array<vec2u>;
@group(0) @binding(3) var<storage, read> pages: array<u32>;
@group(0) @binding(4) var<storage, read_write> cache: array<CacheQuad>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let row = i / CACHE_QUADS;
  let quad = i % CACHE_QUADS;
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
  let to = (page * PAGE_TOKENS + token % PAGE_TOKENS) * CACHE_QUADS + quad;
  if (quad < LEFT_QUADS) {
    cache[to] = packCache(unpackQuad(left[row * LEFT_PITCH + LEFT_FIRST + quad]));
    return;
  }
  let rest = quad - LEFT_QUADS;
  let column = RIGHT_FIRST + rest / RIGHT_DIM * RIGHT_STEP + rest % RIGHT_DIM;
  cache[to] = packCache(unpackQuad(right[row * RIGHT_PITCH + column]));
}
