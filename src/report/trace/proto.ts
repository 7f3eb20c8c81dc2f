// Protocol buffers of public formats, of which we write a few fields: messages by name, fields by their numbers.

import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

const scalars = {
  bool: Type.BOOL,
  double: Type.DOUBLE,
  fixed64: Type.FIXED64,
  int32: Type.INT32,
  int64: Type.INT64,
  string: Type.STRING,
  uint32: Type.UINT32,
  uint64: Type.UINT64,
} as const;

export interface Field {
  readonly number: number;
  /** A scalar, or the name of another message. An enum is an int32 here: on the wire they are the same. */
  readonly type: string;
  readonly isRepeated?: true;
  /** The one choice of its message, in which even a zero is written. */
  readonly isChoice?: true;
}

export type Messages = Readonly<Record<string, Readonly<Record<string, Field>>>>;

/**
 * Descriptors by the name of their message. Content is given and read as JSON, with fields in camel case.
 *
 * @param syntax decides how repeated numbers are written: proto2 one by one, proto3 packed
 */
export function describeMessages(
  packageName: string,
  syntax: "proto2" | "proto3",
  messages: Messages,
): (name: string) => DescMessage {
  const file = create(FileDescriptorProtoSchema, {
    name: `${packageName}.proto`,
    package: packageName,
    syntax,
    messageType: Object.entries(messages).map(([name, fields]) => ({
      name,
      oneofDecl: Object.values(fields).some(({ isChoice }) => isChoice) ? [{ name: "choice" }] : [],
      field: Object.entries(fields).map(([fieldName, { number, type, isRepeated, isChoice }]) => ({
        name: fieldName,
        jsonName: fieldName.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
        number,
        label: isRepeated === true ? Label.REPEATED : Label.OPTIONAL,
        ...(isScalar(type)
          ? { type: scalars[type] }
          : { type: Type.MESSAGE, typeName: `.${packageName}.${type}` }),
        ...(isChoice === true ? { oneofIndex: 0 } : {}),
      })),
    })),
  });
  const registry = createFileRegistry(file, () => undefined);
  return (name) => {
    const found = registry.getMessage(`${packageName}.${name}`);
    if (found === undefined) throw new Error(`${packageName} has no message ${name}`);
    return found;
  };
}

function isScalar(type: string): type is keyof typeof scalars {
  return type in scalars;
}
