enable f16;
// Subgroups multiply [8, 8] · [8, 8] of f16 and add up in f32.
alias Scalar = f16;

const MATRIX_M = 8u;
const MATRIX_N = 8u;
const MATRIX_K = 8u;
