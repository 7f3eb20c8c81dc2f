// Mean squares over all heads, wherever they lie.
//
// squares   vec4f [ROWS]   of queries, of keys, 0, 0
@group(0) @binding(4) var<storage, read> squares: array<vec4f>;

fn meanSquare(token: u32, is_query: bool) -> f32 {
  return select(squares[token].y, squares[token].x, is_query);
}
