// embedding: y[token] = entryOf(table[ids[token] - VOCABULARY_START]), or zeros where another rank holds the id, so
// that the sum over a vocabulary-parallel group is the whole lookup. A prelude of entries/ says whether a row is
// scaled, and a position's row added. A table that KEEPS is not the first of its rank's: what it has no row for stays as
// the others leave it.
//
// A workgroup takes four tokens side by side: while memory fetches a row from somewhere in the table, three
// others are under way.
//
// ids       u32 [TOKENS]
// table     Quad [VOCABULARY_ROWS, QUADS]   this rank's rows
// y         Quad [TOKENS, QUADS]
// dispatch  ceil(TOKENS / 4) workgroups, folded over x and y
override TOKENS: u32;
override HIDDEN: u32;
override VOCABULARY_START: u32;
override VOCABULARY_ROWS: u32;
override LANES: u32;
override KEEPS: bool = false;
override QUADS: u32 = (HIDDEN + 3u) / 4u;

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<Quad>;
@group(0) @binding(2) var<storage, read_write> y: array<Quad>;

fn put(at: u32, entry: Quad, is_here: bool) {
  if (is_here || !KEEPS) {
    y[at] = select(Quad(), entry, is_here);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Tokens past the end repeat the last.
  let first = (group.y * groups.x + group.x) * 4u;
  let tokens = min(vec4u(first) + vec4u(0u, 1u, 2u, 3u), vec4u(TOKENS - 1u));
  let to = tokens * QUADS;
  // An id below the shard wraps to a large number, so one comparison covers both sides.
  let rows =
    vec4u(ids[tokens[0]], ids[tokens[1]], ids[tokens[2]], ids[tokens[3]]) - VOCABULARY_START;
  let here = rows < vec4u(VOCABULARY_ROWS);
  let base = select(vec4u(), rows, here) * QUADS;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let v0 = table[base[0] + quad];
    let v1 = table[base[1] + quad];
    let v2 = table[base[2] + quad];
    let v3 = table[base[3] + quad];
    put(to[0] + quad, entryOf(v0, tokens[0], quad), here[0]);
    put(to[1] + quad, entryOf(v1, tokens[1], quad), here[1]);
    put(to[2] + quad, entryOf(v2, tokens[2], quad), here[2]);
    put(to[3] + quad, entryOf(v3, tokens[3], quad), here[3]);
  }
}
