// ONNX models, encoded by hand: the few fields of onnx.proto that a graph of standard operators needs. The
// npm packages that do this have not followed the format since 2021.

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** Attributes that are floats even where their value is whole. */
  readonly floats?: Readonly<Record<string, number>>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
  /** Tensors that are part of the model; by default f32. */
  readonly constants?: readonly (OnnxTensor & { readonly values: Float32Array | BigInt64Array })[];
}

const opset = 21;
const irVersion = 10;
// TensorProto.DataType
const float = 1;
const int64 = 7;
// AttributeProto.AttributeType
const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

/** A serialized ModelProto. */
export function encodeModel({ nodes, inputs, outputs, constants = [] }: OnnxGraph): Uint8Array {
  return message(
    varintField(1, irVersion),
    bytesField(8, message(textField(1, ""), varintField(2, opset))),
    bytesField(8, message(textField(1, "com.microsoft"), varintField(2, 1))),
    bytesField(
      7,
      message(
        ...nodes.map((node) => bytesField(1, encodeNode(node))),
        textField(2, "task"),
        ...constants.map(({ name, shape, values }) =>
          bytesField(
            5,
            message(
              ...shape.map((size) => varintField(1, size)),
              varintField(2, values instanceof Float32Array ? float : int64),
              textField(8, name),
              bytesField(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
            ),
          ),
        ),
        ...inputs.map((one) => bytesField(11, encodeValueInfo(one))),
        ...outputs.map((one) => bytesField(12, encodeValueInfo(one))),
      ),
    ),
  );
}

function encodeNode({ op, inputs, outputs, domain, attributes, floats }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(4, op),
    ...Object.entries(attributes ?? {}).map(([name, value]) =>
      bytesField(
        5,
        typeof value === "number"
          ? message(textField(1, name), varintField(3, value), varintField(20, attributeTypes.int))
          : message(
              textField(1, name),
              ...value.map((one) => varintField(8, one)),
              varintField(20, attributeTypes.ints),
            ),
      ),
    ),
    ...Object.entries(floats ?? {}).map(([name, value]) =>
      bytesField(
        5,
        message(textField(1, name), floatField(2, value), varintField(20, attributeTypes.float)),
      ),
    ),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  );
}

function encodeValueInfo({ name, shape }: OnnxTensor): Uint8Array {
  return message(
    textField(1, name),
    bytesField(
      2,
      message(
        bytesField(
          1,
          message(
            varintField(1, float),
            bytesField(
              2,
              message(...shape.map((size) => bytesField(1, message(varintField(1, size))))),
            ),
          ),
        ),
      ),
    ),
  );
}

// Protocol buffers: a field is its number and wire type (0 varint, 2 bytes with length, 5 four bytes).

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

function varintField(field: number, value: number): Uint8Array {
  return message(varint(field * 8), varint(value));
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return message(varint(field * 8 + 2), varint(bytes.length), bytes);
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, Buffer.from(text));
}

function floatField(field: number, value: number): Uint8Array {
  return message(varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
}
