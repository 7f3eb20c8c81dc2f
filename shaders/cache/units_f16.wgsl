// Words of a cache of f16, two elements each, low half first: next to each other in memory for next lanes, which one wide
// load brings.
alias Word = u32;
alias Unit = vec2f;
alias Units = mat4x2f;

const UNIT = 2u;  // elements of a unit

fn unpackWord(word: Word) -> Unit {
  return unpack2x16float(word);
}

// Unit `i` of a quad.
fn unitOf(quad: vec4f, i: u32) -> Unit {
  return select(quad.xy, quad.zw, i == 1u);
}
