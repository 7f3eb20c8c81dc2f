// attention_gradient_subgroup: gradients of queries, keys and values, as attention_gradient, for adapters with small
// subgroups. A workgroup is one subgroup; nothing is shared but by shuffles (attention/lanes.wgsl).
//
// A subgroup owns 8 rows of a head, queries or keys, and walks the others in blocks of 16: those of lane l are l, l + LANES
// and so on. Per block:
//   1. pairs  each lane makes p and ds of its others and all own rows: it loads a quad of each of its others, and of every
//             LANES-th own row, which the subgroup hands round
//   2. sums   each lane sums its own columns of the gradients over all others; p and ds are handed round
// The arithmetic is in 4 × 4 matrices: four own rows by four others, or by the four numbers of a quad.
//
// qkv, dy, statistics   as in attention_gradient
// dispatch              (tiles of queries + tiles of keys) · COLUMN_GROUPS, HEADS, BATCH
override COLUMNS: u32;  // quads of the head that a lane sums: 1, 2 or 4
override COLUMN_GROUPS: u32 = (max(HEAD_QUADS, VALUE_QUADS) + LANES * COLUMNS - 1u) / (LANES * COLUMNS);
override TILES: u32 = (ROWS + 7u) / 8u;

@group(0) @binding(0) var<storage, read> qkv: array<Quad>;
@group(0) @binding(4) var<storage, read> dy: array<Quad>;
@group(0) @binding(5) var<storage, read> statistics: array<vec2f>;

// Something of the 8 own rows, four to a matrix.
struct Rows {
  a: mat4x4f,
  b: mat4x4f,
}

// Something of a lane's others and the own rows; of the third and fourth where there are 4 lanes.
struct Others {
  first: Pairs,
  second: Pairs,
  third: Pairs,
  fourth: Pairs,
}

// Of one other and the own rows.
struct Pairs {
  a: vec4f,
  b: vec4f,
}

// What the workgroup is at.
struct Part {
  of_queries: bool,
  head: u32,
  kv_head: u32,
  first_token: u32,
}

fn tokenAt(part: Part, row: u32) -> u32 {
  return part.first_token + min(row, ROWS - 1u);
}

// A quad of a query, or of a key.
fn operand(part: Part, is_query: bool, row: u32, quad: u32) -> vec4f {
  return walkedQuad(!is_query, tokenAt(part, row), part.head, part.kv_head, quad);
}

// A quad of the gradient of a query's result.
fn resultGradient(part: Part, query: u32, quad: u32) -> vec4f {
  return unpackQuad(dy[(tokenAt(part, query) * HEADS + part.head) * VALUE_QUADS + quad]);
}

// The same, or one of the value of a key.
fn valueSide(part: Part, is_query: bool, row: u32, quad: u32) -> vec4f {
  if (is_query) {
    return resultGradient(part, row, quad);
  }
  return valueQuad(tokenAt(part, row), firstValueQuad(part.kv_head) + quad);
}

// What each lane holds of row `lane`, and of row `lane + 4` where there are 4 lanes, in every lane.
fn handedRound(first: vec4f, second: vec4f) -> Rows {
  if (LANES == 8u) {
    return Rows(firstFour(first), secondFour(first));
  }
  return Rows(firstFour(first), firstFour(second));
}

fn add(pairs: ptr<function, Pairs>, own: Rows, other: vec4f) {
  (*pairs).a += other * own.a;
  (*pairs).b += other * own.b;
}

// Products of queries and keys.
fn scoreProducts(part: Part, own: u32, other: u32) -> Others {
  var products: Others;
  for (var quad = 0u; quad < HEAD_QUADS; quad++) {
    var second: vec4f;
    if (LANES == 4u) {
      second = operand(part, part.of_queries, own + 4u, quad);
    }
    let rows = handedRound(operand(part, part.of_queries, own, quad), second);
    add(&products.first, rows, operand(part, !part.of_queries, other, quad));
    add(&products.second, rows, operand(part, !part.of_queries, other + LANES, quad));
    if (LANES == 4u) {
      add(&products.third, rows, operand(part, !part.of_queries, other + 2u * LANES, quad));
      add(&products.fourth, rows, operand(part, !part.of_queries, other + 3u * LANES, quad));
    }
  }
  return products;
}

// Products of gradients of results and values.
fn valueProducts(part: Part, own: u32, other: u32) -> Others {
  var products: Others;
  for (var quad = 0u; quad < VALUE_QUADS; quad++) {
    var second: vec4f;
    if (LANES == 4u) {
      second = valueSide(part, part.of_queries, own + 4u, quad);
    }
    let rows = handedRound(valueSide(part, part.of_queries, own, quad), second);
    add(&products.first, rows, valueSide(part, !part.of_queries, other, quad));
    add(&products.second, rows, valueSide(part, !part.of_queries, other + LANES, quad));
    if (LANES == 4u) {
      add(&products.third, rows, valueSide(part, !part.of_queries, other + 2u * LANES, quad));
      add(&products.fourth, rows, valueSide(part, !part.of_queries, other + 3u * LANES, quad));
    }
  }
  return products;
}

// Takes the first away and puts `last` at the end: what all others go through in turn is one piece of code.
fn shift(others: ptr<function, Others>, last: Pairs) {
  (*others).first = (*others).second;
  if (LANES == 4u) {
    (*others).second = (*others).third;
    (*others).third = (*others).fourth;
    (*others).fourth = last;
  } else {
    (*others).second = last;
  }
}

// Of four own rows, or of one of the others.
struct Statistics {
  scale: vec4f,
  product: vec4f,
}

fn statisticsOf(part: Part, row: u32) -> vec2f {
  return statistics[tokenAt(part, row) * HEADS + part.head];
}

fn statisticsOfFour(part: Part, row: u32) -> Statistics {
  let s = array(
    statisticsOf(part, row),
    statisticsOf(part, row + 1u),
    statisticsOf(part, row + 2u),
    statisticsOf(part, row + 3u),
  );
  return Statistics(vec4f(s[0].x, s[1].x, s[2].x, s[3].x), vec4f(s[0].y, s[1].y, s[2].y, s[3].y));
}

struct Pair {
  p: vec4f,
  ds: vec4f,
}

// Of four own rows from `own` on and one other.
fn pairOf(part: Part, products: vec4f, values: vec4f, own: u32, other: u32, of_own: Statistics) -> Pair {
  let rows = own + vec4u(0u, 1u, 2u, 3u);
  var of_query = of_own;
  if (!part.of_queries) {
    let of_other = statisticsOf(part, other);
    of_query = Statistics(vec4f(of_other.x), vec4f(of_other.y));
  }
  let query = select(vec4u(other), rows, vec4<bool>(part.of_queries));
  let key = select(rows, vec4u(other), vec4<bool>(part.of_queries));
  let scores = scoresOf(products, queryPositions(query), keyPositions(key));
  // Rounding may leave a score above the logarithm of the sum that it is part of.
  let p = select(vec4f(), exp2(min(scores - of_query.scale, vec4f())), query < vec4u(ROWS));
  return Pair(p, p * (values - of_query.product) * scoreSlopes(products));
}

// Adds what four others bring to a quad of the gradients of all own rows.
fn addFour(sums: ptr<function, Rows>, quads: mat4x4f, by: Rows) {
  (*sums).a += quads * by.a;
  (*sums).b += quads * by.b;
}

fn fourOperands(part: Part, other: u32, quad: u32) -> mat4x4f {
  let at = min(quad, HEAD_QUADS - 1u);
  return mat4x4f(
    operand(part, !part.of_queries, other, at),
    operand(part, !part.of_queries, other + 1u, at),
    operand(part, !part.of_queries, other + 2u, at),
    operand(part, !part.of_queries, other + 3u, at),
  );
}

fn fourGradients(part: Part, query: u32, quad: u32) -> mat4x4f {
  let at = min(quad, VALUE_QUADS - 1u);
  return mat4x4f(
    resultGradient(part, query, at),
    resultGradient(part, query + 1u, at),
    resultGradient(part, query + 2u, at),
    resultGradient(part, query + 3u, at),
  );
}

// The next four others' in lanes 0 to 3, after those from `four` on.
fn nextFour(others: ptr<function, Others>, four: u32) {
  if (LANES == 8u && four % 8u == 0u) {
    (*others).first.a = subgroupShuffleXor((*others).first.a, 4u);
    (*others).first.b = subgroupShuffleXor((*others).first.b, 4u);
  } else {
    shift(others, Pairs());
  }
}

fn storeRow(part: Part, row: u32, quad: u32, gradient: vec4f, value_gradient: vec4f) {
  let token = part.first_token + row;
  if (quad < HEAD_QUADS) {
    if (part.of_queries) {
      storeQueryGradient(token, part.head, quad, gradient);
    } else {
      storeKeyGradient(token, part.kv_head, quad, gradient);
    }
  }
  if (!part.of_queries && quad < VALUE_QUADS) {
    storeValueGradient(token, part.kv_head, quad, value_gradient);
  }
}

// The same without its first row: a fixed place to store from, where an index that varies would take long to compile.
fn withoutFirst(rows: Rows) -> Rows {
  return Rows(
    mat4x4f(rows.a[1], rows.a[2], rows.a[3], rows.b[0]),
    mat4x4f(rows.b[1], rows.b[2], rows.b[3], rows.b[3]),
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x / COLUMN_GROUPS;
  let of_queries = tile < TILES;
  if (!of_queries && group.y >= KV_HEADS) {
    return;
  }
  // The heads that are walked.
  let shared_by = HEADS / KV_HEADS;
  let kv_head = select(group.y, group.y / shared_by, of_queries);
  let first_head = select(kv_head * shared_by, group.y, of_queries);
  let heads = select(shared_by, 1u, of_queries);
  let own = select(tile - TILES, tile, of_queries) * 8u;
  let last = min(own + 8u, ROWS) - 1u;
  let others = select(queryRows(own, last), keyRows(own, last), of_queries);
  let column = group.x % COLUMN_GROUPS * COLUMNS * LANES + lane;

  // Named, because arrays of accumulators leave the registers.
  var sums0: Rows;
  var sums1: Rows;
  var sums2: Rows;
  var sums3: Rows;
  var value_sums0: Rows;
  var value_sums1: Rows;
  var value_sums2: Rows;
  var value_sums3: Rows;
  for (var head = first_head; head < first_head + heads; head++) {
    chooseHeads(vec4u(head));
    let part = Part(of_queries, head, kv_head, group.z * ROWS);
    let statistics_a = statisticsOfFour(part, own);
    let statistics_b = statisticsOfFour(part, own + 4u);
    for (var other = others.x; other < others.y; other += 16u) {
      let walked = vec2u(other, min(other + 16u, ROWS) - 1u);
      let owned = vec2u(own, last);
      if (!blocksMeet(select(walked, owned, of_queries), select(owned, walked, of_queries))) {
        continue;
      }
      var products = scoreProducts(part, own + lane, other + lane);
      var values = valueProducts(part, own + lane, other + lane);
      var p: Others;
      var ds: Others;
      for (var at = other + lane; at < other + 16u; at += LANES) {
        let a = pairOf(part, products.first.a, values.first.a, own, at, statistics_a);
        let b = pairOf(part, products.first.b, values.first.b, own + 4u, at, statistics_b);
        shift(&products, Pairs());
        shift(&values, Pairs());
        shift(&p, Pairs(a.p, b.p));
        shift(&ds, Pairs(a.ds, b.ds));
      }
      // A bound that varies: else compilers would write it out four times, loads and all, which takes them long.
      let block = min(16u, others.y - other);
      for (var four = 0u; four < block; four += 4u) {
        let by = Rows(transpose(firstFour(ds.first.a)), transpose(firstFour(ds.first.b)));
        addFour(&sums0, fourOperands(part, other + four, column), by);
        if (COLUMNS > 1u) {
          addFour(&sums1, fourOperands(part, other + four, column + LANES), by);
        }
        if (COLUMNS > 2u) {
          addFour(&sums2, fourOperands(part, other + four, column + 2u * LANES), by);
          addFour(&sums3, fourOperands(part, other + four, column + 3u * LANES), by);
        }
        let weights = Rows(transpose(firstFour(p.first.a)), transpose(firstFour(p.first.b)));
        if (!of_queries) {
          addFour(&value_sums0, fourGradients(part, other + four, column), weights);
          if (COLUMNS > 1u) {
            addFour(&value_sums1, fourGradients(part, other + four, column + LANES), weights);
          }
          if (COLUMNS > 2u) {
            addFour(&value_sums2, fourGradients(part, other + four, column + 2u * LANES), weights);
            addFour(&value_sums3, fourGradients(part, other + four, column + 3u * LANES), weights);
          }
        }
        nextFour(&p, four);
        nextFour(&ds, four);
      }
    }
  }

  let part = Part(of_queries, group.y, kv_head, group.z * ROWS);
  for (var i = 0u; i < COLUMNS; i++) {
    for (var row = own; row <= last; row++) {
      storeRow(part, row, column + i * LANES, sums0.a[0], value_sums0.a[0]);
      sums0 = withoutFirst(sums0);
      value_sums0 = withoutFirst(value_sums0);
    }
    sums0 = sums1;
    sums1 = sums2;
    sums2 = sums3;
    value_sums0 = value_sums1;
    value_sums1 = value_sums2;
    value_sums2 = value_sums3;
  }
}
