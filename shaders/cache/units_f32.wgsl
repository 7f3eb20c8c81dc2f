// Single elements of a cache of f32: next to each other in memory for next lanes, which one wide load brings.
alias Word = f32;
alias Unit = f32;
alias Units = vec4f;

const UNIT = 1u;  // elements of a unit

fn unpackWord(word: Word) -> Unit {
  return word;
}

// Unit `i` of a quad.
fn unitOf(quad: vec4f, i: u32) -> Unit {
  return quad[i];
}
