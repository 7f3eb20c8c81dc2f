// Where a part of a buffer may begin, so that every GPU can bind it.

/** Bytes at whose multiples every GPU can bind a part of a buffer. */
export const windowAlignment = 256;

/** Rows at whose multiples a window may begin, whatever the columns and the dtype: a row has 8 bytes or more. */
export const windowRows = windowAlignment / 8;
