// Of norms over all heads, wherever they lie, means of the products of numbers and their weighted gradients.
//
// products  vec4f [ROWS]   of queries, of keys, 0, 0
@group(0) @binding(5) var<storage, read> products: array<vec4f>;

fn meanProduct(token: u32, is_query: bool) -> f32 {
  return select(products[token].y, products[token].x, is_query);
}
