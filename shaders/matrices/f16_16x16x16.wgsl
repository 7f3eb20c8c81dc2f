enable f16;
// Subgroups multiply [16, 16] · [16, 16] of f16 and add up in f32.
alias Scalar = f16;

const MATRIX_M = 16u;
const MATRIX_N = 16u;
const MATRIX_K = 16u;
